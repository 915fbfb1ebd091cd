//! Somebody's own keys, as a part of their profile.

use std::sync::Arc;

use keyring::{ViewKeys, key_limit};
use leptos::prelude::*;

use super::{
    Parameters, Visitor,
    key_list::{KeyTable, Listing, Loaded as KeysShown, Pager},
    key_state::OWN_KEYS,
    whom::{NamedOrContact, Whom},
};
use crate::{components::Icon, model::KeysOf};

/// Where a new key is made.
const NEW: &str = "/user-profile/api-keys/new";

/// What there is to show of somebody's own keys.
#[derive(Clone)]
pub(super) enum OwnKeys {
    Listed(Box<Listing>, u32),
    /// The subscription of the person's tenant does not include any; whom to ask for it.
    NotSubscribed(Whom),
    /// A super user has none.
    None,
}

impl OwnKeys {
    pub(super) async fn of(visitor: &Visitor, parameters: &Parameters) -> Self {
        match visitor.signed_in.as_key_holder() {
            Ok(holder) if !holder.tenant().api_keys => {
                Self::NotSubscribed(Whom::of(&visitor.visit.console, &visitor.signed_in).await)
            }
            Ok(holder) => {
                let limit = key_limit(&holder);
                Self::Listed(Box::new(Listing::new(visitor, KeysOf::Oneself, Arc::new(holder), parameters)), limit)
            }
            Err(_) => Self::None,
        }
    }
}

#[component]
pub(super) fn OwnKeysSection(keys: OwnKeys) -> impl IntoView {
    let content = match keys {
        OwnKeys::None => return ().into_any(),
        OwnKeys::NotSubscribed(whom) => view! { <NotSubscribed whom/> }.into_any(),
        OwnKeys::Listed(listing, limit) => view! { <Loaded listing=*listing limit/> }.into_any(),
    };
    view! { <section class="own-keys" id=OWN_KEYS aria-labelledby="own-keys-title">{content}</section> }.into_any()
}

#[component]
fn Loaded(listing: Listing, limit: u32) -> impl IntoView {
    let content = move || {
        let listing = listing.clone();
        Suspend::new(async move {
            match listing.load().await {
                Ok(loaded) => view! { <Listed loaded limit/> }.into_any(),
                Err(error) => {
                    tracing::error!(cause = %error.root_cause(), "the person's keys could not be listed");
                    view! { <Failed/> }.into_any()
                }
            }
        })
    };
    view! { <Suspense fallback=|| view! { <Loading/> }>{content}</Suspense> }
}

#[component]
fn Listed(loaded: KeysShown, limit: u32) -> impl IntoView {
    let KeysShown { of, page, query, .. } = loaded.clone();
    let is_full = page.active >= u64::from(limit);
    let action = if is_full {
        view! {
            <button class="button primary" type="button" disabled aria-describedby="own-limit">
                <Icon name="plus"/>"Create new API Key"
            </button>
        }
        .into_any()
    } else {
        view! { <a class="button primary" href=NEW><Icon name="plus"/>"Create new API Key"</a> }.into_any()
    };
    let body = if page.total == 0 {
        view! { <NoKeys/> }.into_any()
    } else {
        view! { <KeyTable loaded/> <Pager of query pages=page.pages()/> }.into_any()
    };
    view! {
        <header class="page-header">
            <h2 id="own-keys-title">"API Keys"</h2>
            <p class="usage" class:full=is_full title="Active keys out of those that you may have">{format!("{}/{limit} keys", page.active)}</p>
            <div class="page-actions">{action}</div>
        </header>
        {is_full.then(|| view! {
            <p class="hint-line" id="own-limit"><Icon name="warning"/><span>"All of your keys are in use. Withdraw one that is no longer used."</span></p>
        })}
        <p class="lead">"A key of your own can do what you can do at that moment, narrowed to its scopes and properties. Programs call the API with it in your name, without your password."</p>
        {body}
    }
}

#[component]
fn NoKeys() -> impl IntoView {
    view! {
        <div class="empty">
            <span class="empty-mark"><Icon name="key"/></span>
            <h3>"You have no keys yet"</h3>
            <p>"Create one for each program that is to work in your name, and you can withdraw it without touching the others."</p>
        </div>
    }
}

#[component]
fn NotSubscribed(whom: Whom) -> impl IntoView {
    view! {
        <header class="page-header"><h2 id="own-keys-title">"API Keys"</h2></header>
        <div class="empty">
            <span class="empty-mark"><Icon name="info"/></span>
            <h3>"Your organization’s subscription does not include API keys"</h3>
            <p>"Ask "<NamedOrContact whom/>" to include them. Then load this page again, and every key there was works as before."</p>
        </div>
    }
}

#[component]
fn Failed() -> impl IntoView {
    view! {
        <header class="page-header"><h2 id="own-keys-title">"API Keys"</h2></header>
        <div class="empty" role="alert">
            <span class="empty-mark"><Icon name="warning"/></span>
            <h3>"Your keys could not be loaded"</h3>
            <p>"The database did not answer. Your keys are safe and go on working; try again in a moment."</p>
            <a class="button" href="">"Try again"</a>
        </div>
    }
}

#[component]
fn Loading() -> impl IntoView {
    view! {
        <header class="page-header"><h2 id="own-keys-title">"API Keys"</h2></header>
        <div class="skeleton" role="status" aria-label="Loading the keys">
            {(0..3).map(|_| view! { <div class="skeleton-row"></div> }).collect_view()}
        </div>
    }
}
