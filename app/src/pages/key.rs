//! A key's own page: what it may do, and what it was used for.

use axum::{
    extract::{Path, rejection::PathRejection},
    response::Response,
};
use chrono::{DateTime, Utc};
use domain::{
    id::{Id, KeyId},
    key::Key,
    permission::Permission,
    property::Property,
    usage::{KeyUsage, UsageQuery},
};
use keyring::{Error, TimeZone, ViewKeys};
use leptos::prelude::*;

use super::{
    HolderVisitor, KeyAdminVisitor, Parameters, Visitor,
    key_state::{Badges, Marks, facts},
    problem,
};
use crate::{
    components::{Crumbs, Icon},
    console::Console,
    islands::KeyActions,
    model::KeysOf,
    url,
};

mod chart;
mod log;
mod outcome;
mod terms;
mod usage;

use log::Log;
use terms::Terms;
use usage::Usage;

type KeyPath = Result<Path<String>, PathRejection>;

/// A key of the tenant's.
pub(crate) async fn key(
    KeyAdminVisitor { visitor, admin }: KeyAdminVisitor,
    id: KeyPath,
    parameters: Parameters,
) -> Response {
    page_of(&visitor, KeysOf::Tenant, &admin, id, &parameters).await
}

/// The personal key of one of the tenant's people.
pub(crate) async fn personal_key(
    KeyAdminVisitor { visitor, admin }: KeyAdminVisitor,
    id: KeyPath,
    parameters: Parameters,
) -> Response {
    page_of(&visitor, KeysOf::People, &admin.for_personal_keys(), id, &parameters).await
}

/// A key of one's own.
pub(crate) async fn own_key(
    HolderVisitor { visitor, holder }: HolderVisitor,
    id: KeyPath,
    parameters: Parameters,
) -> Response {
    page_of(&visitor, KeysOf::Oneself, &holder, id, &parameters).await
}

async fn page_of(
    visitor: &Visitor,
    of: KeysOf,
    viewer: &impl ViewKeys,
    id: KeyPath,
    parameters: &Parameters,
) -> Response {
    let Some(id) = id.ok().and_then(|Path(id)| KeyId::parse(&id).ok()) else {
        return problem::missing(visitor.page(problem::MISSING)).await;
    };
    let query = UsageQuery::from_parameters(|name| parameters.first(name));
    match Shown::load(&visitor.visit.console, of, viewer, &id, query).await {
        Ok(shown) => {
            let title = format!("{} · API Keys", shown.usage.key.name);
            visitor.page(title).render(move || view! { <KeyPage shown=shown.clone()/> }).await
        }
        Err(error) => problem::failed(visitor, &error, "the key could not be loaded").await,
    }
}

#[derive(Clone)]
struct Shown {
    of: KeysOf,
    usage: KeyUsage,
    /// Before the scopes narrow them.
    permissions: Vec<Permission>,
    properties: Vec<Property>,
    query: UsageQuery,
    now: DateTime<Utc>,
    zone: TimeZone,
    public_url: String,
}

impl Shown {
    async fn load(
        console: &Console,
        of: KeysOf,
        viewer: &impl ViewKeys,
        id: &KeyId,
        query: UsageQuery,
    ) -> Result<Self, Error> {
        let usage = console.keyring.key_usage(viewer, id, &query).await?;
        Ok(Self {
            of,
            permissions: console.keyring.permissions_of_key(viewer, &usage.key).await?,
            properties: console.keyring.key_choices(viewer).await?.properties,
            usage,
            query,
            now: console.keyring.now(),
            zone: TimeZone::of(viewer.tenant()),
            public_url: console.public_url.to_string(),
        })
    }

    fn was_never_used(&self) -> bool {
        self.usage.key.last_used_at.is_none() && self.usage.lately.total() == 0 && self.usage.log.entries.is_empty()
    }
}

/// The address of a key's page as a query describes it, at one of its parts.
fn link(path: &str, query: &UsageQuery, part: &str) -> String {
    format!("{}#{part}", url::with_query(path, &query.parameters()))
}

pub(super) fn crumbs(of: KeysOf) -> impl IntoView {
    match of {
        KeysOf::Tenant => view! { <Crumbs section="API Keys" href=of.list_path()/> },
        KeysOf::People => view! { <Crumbs section="Personal API keys" href=of.list_path()/> },
        KeysOf::Oneself => view! { <Crumbs part="Account" section="Profile" href=of.list_path()/> },
    }
}

#[component]
fn KeyPage(shown: Shown) -> impl IntoView {
    let (of, key, zone) = (shown.of, shown.usage.key.clone(), shown.zone);
    let history = if shown.was_never_used() && shown.query.outcome.is_none() {
        view! { <NeverUsed is_active={key.revoked_at.is_none()}/> }.into_any()
    } else {
        view! { <Usage shown=shown.clone()/> <Log shown=shown.clone()/> }.into_any()
    };
    view! {
        {crumbs(of)}
        <Header of key=key.clone() now=shown.now zone public_url=shown.public_url/>
        <div class="panels">
            <Terms key permissions=shown.permissions properties=shown.properties now=shown.now zone/>
            {history}
        </div>
    }
}

#[component]
fn Header(of: KeysOf, key: Key, now: DateTime<Utc>, zone: TimeZone, public_url: String) -> impl IntoView {
    let facts = facts(of, &key, now, zone);
    let description = (!key.description.is_empty()).then(|| view! { <p class="lead">{key.description.clone()}</p> });
    view! {
        <header class="page-header key-header" id=key.id.to_string()>
            <h1>{key.name.clone()}</h1>
            <Badges key=key.clone() now zone/>
            <Marks of key=key.clone() now/>
            <div class="page-actions"><KeyActions facts public_url on_own_page=true/></div>
            {description}
        </header>
    }
}

#[component]
fn NeverUsed(is_active: bool) -> impl IntoView {
    let advice = if is_active {
        "As soon as something calls the API with this key, its calls are counted and listed here. If nothing is meant to, revoke it."
    } else {
        "Nothing ever called the API with this key, and it no longer works."
    };
    view! {
        <section class="panel" aria-labelledby="never-used">
            <div class="empty">
                <span class="empty-mark"><Icon name="key"/></span>
                <h2 id="never-used">"Never used"</h2>
                <p>{advice}</p>
            </div>
        </section>
    }
}
