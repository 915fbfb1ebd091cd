//! Pages for when there is nothing to show: what happened, why, and what to do next.

use axum::{
    http::{StatusCode, request::Parts},
    response::Response,
};
use domain::{
    field::FieldErrors,
    person::{Email, Person},
};
use keyring::Error;
use leptos::prelude::*;

use super::{
    Visitor,
    whom::{NamedOrContact, Whom},
};
use crate::{
    components::Icon,
    session,
    shell::{Page, Visit},
    url,
};

/// The title of the page that [`unavailable`] fills.
pub(super) const UNAVAILABLE: &str = "Not available";

/// The title of the page that [`missing`] fills.
pub(super) const MISSING: &str = "Not found";

pub(crate) async fn not_found(visit: Visit, parts: Parts) -> Response {
    // Whether somebody is signed in only decides what stands beside the page.
    let signed_in = session::find_session(&visit.console, &parts).await.ok().flatten();
    missing(visit.page(MISSING).beside_navigation(signed_in)).await
}

pub(super) async fn missing(page: Page) -> Response {
    let page = page.with_status(StatusCode::NOT_FOUND);
    page.render(|| {
        view! {
            <Problem title="There is no such page" action=("/", "Go to the start page")>
                "The address may be mistyped, or what it led to has been removed."
            </Problem>
        }
    })
    .await
}

/// The page belongs to people with another role.
pub(super) async fn not_allowed(visitor: &Visitor) -> Response {
    if visitor.signed_in.as_super_user().is_ok() && visitor.signed_in.entered().is_none() {
        return enter_first(visitor).await;
    }
    let page = visitor.page("Not allowed").with_status(StatusCode::FORBIDDEN);
    let admins = admin_contacts(visitor).await;
    page.render(move || {
        let people = admins.clone();
        view! {
            <Problem title="Only admins can open this page" action=("/", "Go to the start page")>
                "What is here is kept by your organization’s admins. Ask one of them for what you need"
                <AdminContacts people/>
            </Problem>
        }
    })
    .await
}

/// The page is about a tenant, and the super user is in none.
async fn enter_first(visitor: &Visitor) -> Response {
    let page = visitor.page("Not allowed").with_status(StatusCode::FORBIDDEN);
    page.render(|| {
        view! {
            <Problem title="Enter a tenant first" action=(super::TENANTS_PATH, "Go to the tenants")>
                "What is here belongs to a tenant, and you are in none at the moment."
            </Problem>
        }
    })
    .await
}

pub(super) async fn for_super_users(visitor: &Visitor) -> Response {
    let page = visitor.page("Not allowed").with_status(StatusCode::FORBIDDEN);
    page.render(|| {
        view! {
            <Problem title="Only super users can open this page" action=("/", "Go to the start page")>
                "This page is for the operators of this Latchkey installation."
            </Problem>
        }
    })
    .await
}

/// The tenant’s subscription does not include what is here.
pub(super) async fn not_subscribed(visitor: &Visitor) -> Response {
    let page = visitor.page("Not in your subscription").with_status(StatusCode::FORBIDDEN);
    let whom = Whom::of(&visitor.visit.console, &visitor.signed_in).await;
    page.render(move || {
        let whom = whom.clone();
        view! {
            <Problem title="Your subscription does not include API keys" action=("", "Try again")>
                "No key of your organization works at the moment, and none can be generated. None is lost: once API keys are \
                 part of the subscription again, all of them come back unchanged. Ask "<NamedOrContact whom/>" for it."
            </Problem>
        }
    })
    .await
}

/// Whom somebody can ask for what they may not do themselves. Nobody is named when it cannot be found out: it is said
/// beside something else.
pub(super) async fn admin_contacts(visitor: &Visitor) -> Vec<Person> {
    visitor.visit.console.keyring.admin_contacts(&visitor.signed_in).await.unwrap_or_else(|error| {
        tracing::error!(cause = %error.root_cause(), "admin contacts could not be loaded");
        Vec::new()
    })
}

/// The end of a sentence, which names the people whom it is about.
#[component]
pub(super) fn AdminContacts(people: Vec<Person>) -> impl IntoView {
    let named = people.into_iter().enumerate().map(|(place, person)| {
        let before = if place == 0 { ": " } else { ", " };
        view! { {before}<a href=mail_to(&person.email)>{person.name}</a> }
    });
    view! { {named.collect_view()}"." }
}

/// Whatever stands in an address, nothing but the address is written to.
fn mail_to(email: &Email) -> String {
    let parts: Vec<String> = email.as_str().split('@').map(url::percent_encode).collect();
    format!("mailto:{}", parts.join("@"))
}

/// What the page is about could not be loaded: it does not exist, the address is wrong, or else the log is told why.
pub(super) async fn failed(visitor: &Visitor, error: &Error, what: &'static str) -> Response {
    if let Error::NotFound(_) = error {
        return missing(visitor.page(MISSING)).await;
    }
    if let Error::Invalid(errors) = error {
        return invalid(visitor.page("Invalid address"), errors.clone()).await;
    }
    tracing::error!(cause = %error.root_cause(), "{what}");
    unavailable(visitor.page(UNAVAILABLE)).await
}

/// The address asks for what cannot be, such as a day that no calendar has.
async fn invalid(page: Page, errors: FieldErrors) -> Response {
    let page = page.with_status(StatusCode::UNPROCESSABLE_ENTITY);
    page.render(move || {
        let details = errors.to_string();
        view! {
            <Problem title="The address of this page is not valid" action=("/", "Go to the start page")>{details}</Problem>
        }
    })
    .await
}

pub(super) async fn unavailable(page: Page) -> Response {
    let page = page.with_status(StatusCode::SERVICE_UNAVAILABLE);
    page.render(|| {
        view! {
            <Problem title="Latchkey cannot reach its database" action=("", "Try again")>
                "Nothing was lost. Try again in a moment; if the problem persists, contact the operator of this installation."
            </Problem>
        }
    })
    .await
}

#[component]
fn Problem(title: &'static str, action: (&'static str, &'static str), children: Children) -> impl IntoView {
    let (href, label) = action;
    view! {
        <div class="empty">
            <span class="empty-mark"><Icon name="info"/></span>
            <h1>{title}</h1>
            <p>{children()}</p>
            <a class="button" href=href>{label}</a>
        </div>
    }
}
