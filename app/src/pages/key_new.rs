//! Generating a key, on a page of its own.

use axum::response::Response;
use domain::{expiration::ExpiresAt, key_draft::Choices};
use keyring::{ManageKeys, key_limit};
use leptos::prelude::*;

use super::{HolderVisitor, KeyAdminVisitor, Visitor, key::crumbs, problem, whom::Whom};
use crate::{components::Icon, islands::GenerateKey, model::KeysOf, pages::key_list::LimitAdvice};

/// A key of the tenant's.
pub(crate) async fn key_new(KeyAdminVisitor { visitor, admin }: KeyAdminVisitor) -> Response {
    page_for(&visitor, KeysOf::Tenant, &admin).await
}

/// A key of one's own.
pub(crate) async fn own_key_new(HolderVisitor { visitor, holder }: HolderVisitor) -> Response {
    page_for(&visitor, KeysOf::Oneself, &holder).await
}

const fn title(of: KeysOf) -> &'static str {
    match of {
        KeysOf::Oneself => "Create API key",
        KeysOf::Tenant | KeysOf::People => "Generate API key",
    }
}

async fn page_for(visitor: &Visitor, of: KeysOf, manager: &impl ManageKeys) -> Response {
    match Form::load(visitor, of, manager).await {
        Ok(form) => visitor.page(title(of)).render(move || view! { <GeneratePage form=form.clone()/> }).await,
        Err(error) => problem::failed(visitor, &error, "the form could not be loaded").await,
    }
}

#[derive(Clone)]
struct Form {
    of: KeysOf,
    choices: Choices,
    now: ExpiresAt,
    active: u64,
    limit: u32,
    whom: Whom,
    public_url: String,
    time_zone: String,
}

impl Form {
    async fn load(visitor: &Visitor, of: KeysOf, manager: &impl ManageKeys) -> Result<Self, keyring::Error> {
        let console = &visitor.visit.console;
        Ok(Self {
            of,
            choices: console.keyring.key_choices(manager).await?,
            now: console.keyring.moment(manager),
            active: console.keyring.active_keys(manager).await?,
            limit: key_limit(manager),
            whom: Whom::of(&visitor.visit.console, &visitor.signed_in).await,
            public_url: console.public_url.to_string(),
            time_zone: manager.tenant().time_zone.clone(),
        })
    }
}

#[component]
fn GeneratePage(form: Form) -> impl IntoView {
    let Form { of, choices, now, active, limit, whom, public_url, time_zone } = form;
    let advice = match of {
        KeysOf::Oneself => "Withdraw a key that is no longer used.".into_any(),
        KeysOf::Tenant | KeysOf::People => view! { <LimitAdvice whom/> }.into_any(),
    };
    let content = if active >= u64::from(limit) {
        view! {
            <div class="empty">
                <span class="empty-mark"><Icon name="warning"/></span>
                <h2>{format!("All the keys are in use ({active}/{limit})")}</h2>
                <p>{advice}</p>
                <a class="button" href=of.list_path()>"Back to the keys"</a>
            </div>
        }
        .into_any()
    } else {
        view! { <GenerateKey of choices now public_url time_zone/> }.into_any()
    };
    view! {
        {crumbs(of)}
        <header class="page-header">
            <h1>{title(of)}</h1>
        </header>
        {content}
    }
}
