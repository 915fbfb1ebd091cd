//! The list of keys.

use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::{
    key_draft::Choices,
    key_list::{KeyListQuery, KeyPage},
};
use keyring::{TenantAdmin, TimeZone};
use leptos::prelude::*;

use super::{AdminVisitor, Parameters};
use crate::{
    components::{Crumbs, Icon},
    console::Console,
};

mod filters;
mod legacy;
mod pager;
mod table;

use filters::Filters;
use legacy::{Legacy, LegacyPanel};
use pager::Pager;
use table::KeyTable;

pub(crate) async fn key_list(AdminVisitor { visitor, admin }: AdminVisitor, parameters: Parameters) -> Response {
    let console = visitor.visit.console.clone();
    let query = KeyListQuery::from_parameters(|name| parameters.first(name));
    let list = List { console, admin, query };
    visitor.page("API Keys").render(move || view! { <KeyListPage list=list.clone()/> }).await
}

/// What is listed, and for whom.
#[derive(Clone)]
struct List {
    console: Console,
    admin: TenantAdmin,
    query: KeyListQuery,
}

/// What the table shows, once it has been loaded.
#[derive(Clone)]
struct Loaded {
    page: KeyPage,
    choices: Choices,
    query: KeyListQuery,
    now: DateTime<Utc>,
    zone: TimeZone,
    public_url: String,
    legacy: Legacy,
}

impl List {
    async fn load(&self) -> Result<Loaded, keyring::Error> {
        let keyring = &self.console.keyring;
        let mut page = keyring.keys(&self.admin, &self.query).await?;
        let mut query = self.query.clone();
        // Past the end, because keys were deleted or the link is an old one: the last page is meant.
        if page.keys.is_empty() && page.matching > 0 {
            query = query.on_page(page.pages() - 1);
            page = keyring.keys(&self.admin, &query).await?;
        }
        Ok(Loaded {
            page,
            choices: keyring.key_choices(&self.admin).await?,
            query,
            now: keyring.now(),
            zone: TimeZone::of(self.admin.tenant()),
            public_url: self.console.public_url.to_string(),
            legacy: Legacy { users: keyring.legacy_users(&self.admin).await?, sunset: keyring.legacy_sunset() },
        })
    }
}

/// Where the list is.
pub(super) const PATH: &str = "/tenant-api-keys";

/// The address of the list as a query describes it.
pub(super) fn link(query: &KeyListQuery) -> String {
    super::address(PATH, &query.parameters())
}

#[component]
fn KeyListPage(list: List) -> impl IntoView {
    let limit = list.admin.tenant().key_limit;
    let support = list.console.support_contact.as_deref().map(str::to_owned);
    let query = list.query.clone();
    let content = move || {
        let (list, support) = (list.clone(), support.clone());
        Suspend::new(async move {
            match list.load().await {
                Ok(loaded) => view! { <Listed loaded limit support/> }.into_any(),
                Err(error) => {
                    tracing::error!(cause = %error, "the keys could not be listed");
                    view! { <Failed query=list.query/> }.into_any()
                }
            }
        })
    };
    view! {
        <Crumbs/>
        <Suspense fallback=move || view! { <Loading query=query.clone()/> }>{content}</Suspense>
    }
}

/// The keys with all around them.
#[component]
fn Listed(loaded: Loaded, limit: u32, support: Option<String>) -> impl IntoView {
    let Loaded { page, query, legacy, now, zone, .. } = loaded.clone();
    let body = if page.total == 0 {
        view! { <NoKeys can_generate={limit > 0}/> }.into_any()
    } else {
        let table = if page.matching == 0 {
            view! { <NoMatch/> }.into_any()
        } else {
            view! { <KeyTable loaded=loaded.clone()/> <Pager query=query.clone() pages=page.pages()/> }.into_any()
        };
        view! { <Filters query matching=Some(page.matching)/> {table} }.into_any()
    };
    view! {
        <Header active=page.active limit support offer={page.total > 0}/>
        <LegacyPanel legacy now zone/>
        {body}
    }
}

#[component]
fn Header(active: u64, limit: u32, support: Option<String>, offer: bool) -> impl IntoView {
    let is_full = active >= u64::from(limit);
    let action = match (offer, is_full) {
        (_, true) => view! {
            <button class="button primary" type="button" disabled aria-describedby="limit-advice">
                <Icon name="plus"/>"Generate API Key"
            </button>
        }
        .into_any(),
        (true, false) => view! {
            <a class="button primary" href="/tenant-api-keys/new"><Icon name="plus"/>"Generate API Key"</a>
        }
        .into_any(),
        (false, false) => ().into_any(),
    };
    view! {
        <header class="page-header">
            <h1>"API Keys"</h1>
            <p class="usage" class:full=is_full title="Active keys out of those this tenant may have">
                {format!("{active}/{limit} keys")}
            </p>
            <div class="page-actions">{action}</div>
        </header>
        {is_full.then(|| view! {
            <p class="hint-line" id="limit-advice"><Icon name="warning"/><span>"All the keys are in use. "<LimitAdvice support/></span></p>
        })}
    }
}

/// Whom to ask for more keys.
#[component]
pub(crate) fn LimitAdvice(support: Option<String>) -> impl IntoView {
    let whom = match support {
        None => view! { "whoever runs this Latchkey installation" }.into_any(),
        Some(link) if link.starts_with("https://") || link.starts_with("http://") => {
            let label = link.clone();
            view! { <a href=link>{label}</a> }.into_any()
        }
        Some(address) if address.contains('@') => {
            let mail = format!("mailto:{address}");
            view! { <a href=mail>{address}</a> }.into_any()
        }
        Some(words) => words.into_any(),
    };
    view! { "Revoke a key that is no longer used, or ask "{whom}" to raise the limit." }
}

#[component]
fn NoKeys(can_generate: bool) -> impl IntoView {
    view! {
        <div class="empty">
            <span class="empty-mark"><Icon name="key"/></span>
            <h2>"No API keys yet"</h2>
            <p>
                "A key lets one integration, such as a property management system or a booking widget, call the API in your \
                 organisation’s name without anybody’s password. Give each integration a key of its own, and you can narrow, \
                 rotate or revoke it without touching the others."
            </p>
            {can_generate.then(|| view! {
                <a class="button primary" href="/tenant-api-keys/new"><Icon name="plus"/>"Generate API Key"</a>
            })}
        </div>
    }
}

#[component]
fn NoMatch() -> impl IntoView {
    view! {
        <div class="empty">
            <span class="empty-mark"><Icon name="search"/></span>
            <h2>"No key matches"</h2>
            <p>"Try another word, or look at all the keys again."</p>
            <a class="button" href="/tenant-api-keys">"Clear the filters"</a>
        </div>
    }
}

#[component]
fn Failed(query: KeyListQuery) -> impl IntoView {
    view! {
        <header class="page-header"><h1>"API Keys"</h1></header>
        <div class="empty" role="alert">
            <span class="empty-mark"><Icon name="warning"/></span>
            <h2>"The keys could not be loaded"</h2>
            <p>"The database did not answer. Your keys are safe and go on working; try again in a moment."</p>
            <a class="button" href=link(&query)>"Try again"</a>
        </div>
    }
}

/// The shape of the list while the database is still at it.
#[component]
fn Loading(query: KeyListQuery) -> impl IntoView {
    view! {
        <header class="page-header"><h1>"API Keys"</h1></header>
        <Filters query matching=None/>
        <div class="skeleton" role="status" aria-label="Loading the keys">
            {(0..8).map(|_| view! { <div class="skeleton-row"></div> }).collect_view()}
        </div>
    }
}
