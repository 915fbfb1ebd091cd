//! Generating a key, on a page of its own.

use axum::response::Response;
use domain::{expiration::Moment, key_draft::Choices};
use keyring::TenantAdmin;
use leptos::prelude::*;

use super::{AdminVisitor, problem};
use crate::{
    components::{Crumbs, Icon},
    console::Console,
    islands::GenerateKey,
    pages::key_list::LimitAdvice,
};

pub(crate) async fn key_new(AdminVisitor { visitor, admin }: AdminVisitor) -> Response {
    match Form::load(&visitor.visit.console, &admin).await {
        Ok(form) => visitor.page("Generate API key").render(move || view! { <GeneratePage form=form.clone()/> }).await,
        Err(error) => {
            tracing::error!(cause = %error, "the form could not be loaded");
            problem::unavailable(visitor.page(problem::UNAVAILABLE)).await
        }
    }
}

#[derive(Clone)]
struct Form {
    choices: Choices,
    now: Moment,
    active: u64,
    limit: u32,
    support: Option<String>,
    public_url: String,
    time_zone: String,
}

impl Form {
    async fn load(console: &Console, admin: &TenantAdmin) -> Result<Self, keyring::Error> {
        Ok(Self {
            choices: console.keyring.key_choices(admin).await?,
            now: console.keyring.moment(admin),
            active: console.keyring.active_keys(admin).await?,
            limit: admin.tenant().key_limit,
            support: console.support_contact.as_deref().map(str::to_owned),
            public_url: console.public_url.to_string(),
            time_zone: admin.tenant().time_zone.clone(),
        })
    }
}

#[component]
fn GeneratePage(form: Form) -> impl IntoView {
    let Form { choices, now, active, limit, support, public_url, time_zone } = form;
    let content = if active >= u64::from(limit) {
        view! {
            <div class="empty">
                <span class="empty-mark"><Icon name="warning"/></span>
                <h2>{format!("All the keys are in use ({active}/{limit})")}</h2>
                <p><LimitAdvice support/></p>
                <a class="button" href="/tenant-api-keys">"Back to the keys"</a>
            </div>
        }
        .into_any()
    } else {
        view! { <GenerateKey choices now public_url time_zone/> }.into_any()
    };
    view! {
        <Crumbs section="API Keys" href="/tenant-api-keys"/>
        <header class="page-header">
            <h1>"Generate API key"</h1>
        </header>
        {content}
    }
}
