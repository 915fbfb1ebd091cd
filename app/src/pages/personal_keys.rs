//! The personal keys of a tenant's people: an admin sees them all and can withdraw them, and never sees a secret.

use std::sync::Arc;

use axum::response::Response;
use leptos::prelude::*;

use super::{
    KeyAdminVisitor, Parameters,
    key_list::{Failed, Filtered, Listing, Loaded, Loading, WhoseKeys},
};
use crate::{
    components::{Crumbs, Icon},
    model::KeysOf,
};

const TITLE: &str = "Personal API keys";

pub(crate) async fn personal_keys(
    KeyAdminVisitor { visitor, admin }: KeyAdminVisitor,
    parameters: Parameters,
) -> Response {
    let overseer = Arc::new(admin.for_personal_keys());
    let listing = Listing::new(&visitor, KeysOf::People, overseer, &parameters);
    visitor.page(TITLE).render(move || view! { <PersonalKeysPage listing=listing.clone()/> }).await
}

#[component]
fn PersonalKeysPage(listing: Listing) -> impl IntoView {
    let (of, query) = (listing.of, listing.query.clone());
    let content = move || {
        let listing = listing.clone();
        Suspend::new(async move {
            match listing.load().await {
                Ok(loaded) => view! { <Listed loaded/> }.into_any(),
                Err(error) => {
                    tracing::error!(cause = %error.root_cause(), "the personal keys could not be listed");
                    view! { <Failed title=TITLE of query=listing.query/> }.into_any()
                }
            }
        })
    };
    view! {
        <Crumbs/>
        <Suspense fallback=move || view! { <Loading title=TITLE of query=query.clone()/> }>{content}</Suspense>
    }
}

#[component]
fn Listed(loaded: Loaded) -> impl IntoView {
    let body =
        if loaded.page.total == 0 { view! { <NoKeys/> }.into_any() } else { view! { <Filtered loaded/> }.into_any() };
    view! {
        <header class="page-header">
            <h1>{TITLE}</h1>
            <p class="lead">"Keys that people made for themselves. Each goes as far as its owner may at that moment, and no further."</p>
        </header>
        <WhoseKeys of=KeysOf::People/>
        {body}
    }
}

#[component]
fn NoKeys() -> impl IntoView {
    view! {
        <div class="empty">
            <span class="empty-mark"><Icon name="key"/></span>
            <h2>"There are no personal keys yet"</h2>
            <p>"People make their own under Profile. Every key of theirs is then listed here, and can be withdrawn."</p>
        </div>
    }
}
