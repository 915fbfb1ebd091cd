//! The list of keys.

use std::sync::Arc;

use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::{
    key_list::{KeyListQuery, KeyPage},
    property::Property,
};
use keyring::{TenantAdmin, TimeZone, ViewKeys};
use leptos::prelude::*;

use super::{
    KeyAdminVisitor, Parameters, Visitor,
    key_state::list_link,
    whom::{NamedOrContact, Whom},
};
use crate::{
    components::{Choice, Crumbs, Icon},
    console::Console,
    model::KeysOf,
};

mod filters;
mod legacy;
mod pager;
mod table;

use filters::Filters;
use legacy::{Legacy, LegacyPanel};
pub(super) use pager::Pager;
pub(super) use table::KeyTable;

/// The tenant's own keys.
pub(crate) async fn key_list(KeyAdminVisitor { visitor, admin }: KeyAdminVisitor, parameters: Parameters) -> Response {
    let limit = admin.tenant().key_limit;
    let listing = Listing::new(&visitor, KeysOf::Tenant, Arc::new(admin.clone()), &parameters);
    let whom = Whom::of(&visitor.visit.console, &visitor.signed_in).await;
    let list = List { listing, admin, limit, whom };
    visitor.page("API Keys").render(move || view! { <KeyListPage list=list.clone()/> }).await
}

/// Some keys as they are listed, for somebody who watches over them.
#[derive(Clone)]
pub(super) struct Listing {
    pub(super) console: Console,
    pub(super) of: KeysOf,
    viewer: Arc<dyn ViewKeys + Send>,
    pub(super) query: KeyListQuery,
}

/// What the table shows, once it has been loaded.
#[derive(Clone)]
pub(super) struct Loaded {
    pub(super) of: KeysOf,
    pub(super) page: KeyPage,
    pub(super) properties: Vec<Property>,
    pub(super) query: KeyListQuery,
    pub(super) now: DateTime<Utc>,
    pub(super) zone: TimeZone,
    pub(super) public_url: String,
}

impl Listing {
    pub(super) fn new(
        visitor: &Visitor,
        of: KeysOf,
        viewer: Arc<dyn ViewKeys + Send>,
        parameters: &Parameters,
    ) -> Self {
        let query = KeyListQuery::from_parameters(|name| parameters.first(name));
        Self { console: visitor.visit.console.clone(), of, viewer, query }
    }

    pub(super) async fn load(&self) -> Result<Loaded, keyring::Error> {
        let keyring = &self.console.keyring;
        let mut page = keyring.keys(&self.viewer, &self.query).await?;
        let mut query = self.query.clone();
        // Past the end, because keys were deleted or the link is an old one: the last page is meant.
        if page.keys.is_empty() && page.matching > 0 {
            query = query.on_page(page.pages() - 1);
            page = keyring.keys(&self.viewer, &query).await?;
        }
        Ok(Loaded {
            of: self.of,
            page,
            properties: keyring.key_choices(&self.viewer).await?.properties,
            query,
            now: keyring.now(),
            zone: TimeZone::of(self.viewer.tenant()),
            public_url: self.console.public_url.to_string(),
        })
    }
}

/// The tenant's own keys, with who still calls without one.
#[derive(Clone)]
struct List {
    listing: Listing,
    admin: TenantAdmin,
    limit: u32,
    whom: Whom,
}

impl List {
    async fn load(&self) -> Result<(Loaded, Legacy), keyring::Error> {
        let keyring = &self.listing.console.keyring;
        let legacy = Legacy { users: keyring.legacy_users(&self.admin).await?, sunset: keyring.legacy_sunset() };
        Ok((self.listing.load().await?, legacy))
    }
}

#[component]
fn KeyListPage(list: List) -> impl IntoView {
    let (limit, whom) = (list.limit, list.whom.clone());
    let query = list.listing.query.clone();
    let content = move || {
        let (list, whom) = (list.clone(), whom.clone());
        Suspend::new(async move {
            match list.load().await {
                Ok((loaded, legacy)) => view! { <Listed loaded legacy limit whom/> }.into_any(),
                Err(error) => {
                    tracing::error!(cause = %error.root_cause(), "the keys could not be listed");
                    view! { <Failed title="API Keys" of=KeysOf::Tenant query=list.listing.query/> }.into_any()
                }
            }
        })
    };
    view! {
        <Crumbs/>
        <Suspense fallback=move || view! { <Loading title="API Keys" of=KeysOf::Tenant query=query.clone()/> }>{content}</Suspense>
    }
}

/// The way from the tenant's own keys to those of its people, and back.
#[component]
pub(super) fn WhoseKeys(of: KeysOf) -> impl IntoView {
    let option = |label, there: KeysOf| (label, there.list_path().to_owned(), there == of);
    let options = vec![option("The organization’s", KeysOf::Tenant), option("Personal", KeysOf::People)];
    view! { <div class="whose-keys"><Choice label="Whose keys" options/></div> }
}

/// The keys with all around them.
#[component]
fn Listed(loaded: Loaded, legacy: Legacy, limit: u32, whom: Whom) -> impl IntoView {
    let Loaded { page, now, zone, .. } = loaded.clone();
    let body = if page.total == 0 {
        view! { <NoKeys can_generate={limit > 0}/> }.into_any()
    } else {
        view! { <Filtered loaded/> }.into_any()
    };
    view! {
        <Header active=page.active limit whom offer={page.total > 0}/>
        <LegacyPanel legacy now zone/>
        <WhoseKeys of=KeysOf::Tenant/>
        {body}
    }
}

/// The filters and the keys that match them.
#[component]
pub(super) fn Filtered(loaded: Loaded) -> impl IntoView {
    let Loaded { of, page, query, .. } = loaded.clone();
    let table = if page.matching == 0 {
        view! { <NoMatch of/> }.into_any()
    } else {
        view! { <KeyTable loaded/> <Pager of query=query.clone() pages=page.pages()/> }.into_any()
    };
    view! { <Filters of query matching=Some(page.matching)/> {table} }
}

#[component]
fn Header(active: u64, limit: u32, whom: Whom, offer: bool) -> impl IntoView {
    let is_full = active >= u64::from(limit);
    let title = format!("All the keys are in use. Ask {} to raise the limit.", whom.label());
    let action = match (offer, is_full) {
        (_, true) => view! {
            <button class="button primary" type="button" disabled title=title aria-describedby="limit-advice">
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
            <p class="hint-line" id="limit-advice"><Icon name="warning"/><span>"All the keys are in use. "<LimitAdvice whom/></span></p>
        })}
    }
}

/// Whom to ask for more keys.
#[component]
pub(crate) fn LimitAdvice(whom: Whom) -> impl IntoView {
    view! { "Revoke a key that is no longer used, or ask "<NamedOrContact whom/>" to raise the limit." }
}

#[component]
fn NoKeys(can_generate: bool) -> impl IntoView {
    view! {
        <div class="empty">
            <span class="empty-mark"><Icon name="key"/></span>
            <h2>"No API keys yet"</h2>
            <p>
                "A key lets one integration, such as a property management system or a booking widget, call the API in your \
                 organization’s name without anybody’s password. Give each integration a key of its own, and you can narrow, \
                 rotate or revoke it without touching the others."
            </p>
            {can_generate.then(|| view! {
                <a class="button primary" href="/tenant-api-keys/new"><Icon name="plus"/>"Generate API Key"</a>
            })}
        </div>
    }
}

#[component]
fn NoMatch(of: KeysOf) -> impl IntoView {
    view! {
        <div class="empty">
            <span class="empty-mark"><Icon name="search"/></span>
            <h2>"No key matches"</h2>
            <p>"Try another word, or look at all the keys again."</p>
            <a class="button" href=of.list_path()>"Clear the filters"</a>
        </div>
    }
}

#[component]
pub(super) fn Failed(title: &'static str, of: KeysOf, query: KeyListQuery) -> impl IntoView {
    view! {
        <header class="page-header"><h1>{title}</h1></header>
        <div class="empty" role="alert">
            <span class="empty-mark"><Icon name="warning"/></span>
            <h2>"The keys could not be loaded"</h2>
            <p>"The database did not answer. Your keys are safe and go on working; try again in a moment."</p>
            <a class="button" href=list_link(of, &query)>"Try again"</a>
        </div>
    }
}

/// The shape of the list while the database is still at it.
#[component]
pub(super) fn Loading(title: &'static str, of: KeysOf, query: KeyListQuery) -> impl IntoView {
    view! {
        <header class="page-header"><h1>{title}</h1></header>
        <Filters of query matching=None/>
        <div class="skeleton" role="status" aria-label="Loading the keys">
            {(0..8).map(|_| view! { <div class="skeleton-row"></div> }).collect_view()}
        </div>
    }
}
