//! Revoking a key; of a personal one it is said that it is withdrawn.

use leptos::prelude::*;

use super::{
    KeyFacts,
    confirm::{Confirm, Words, when_done},
};
use crate::{components::Icon, functions::revoke_key, model::KeysOf};

#[component]
pub(super) fn RevokeDialog(facts: KeyFacts, close: Callback<()>, done: Callback<&'static str>) -> impl IntoView {
    let KeyFacts { of, id, name, hint, .. } = facts;
    let revoke = Action::new(move |(): &()| revoke_key(of, id.clone()));
    let (verb, doing, did) = match of {
        KeysOf::Tenant => ("Revoke", "Revoking…", "Revoked"),
        KeysOf::Oneself | KeysOf::People => ("Withdraw", "Withdrawing…", "Withdrew"),
    };
    when_done(revoke, move |()| done.run(did));
    let words = Words { title: format!("{verb} “{name}”?"), confirm: verb, pending: doing };
    let limit = match of {
        KeysOf::Tenant => "The key stays in the list, marked as revoked, and no longer counts towards the limit.",
        KeysOf::Oneself | KeysOf::People => "The key stays in the list, marked as withdrawn.",
    };
    view! {
        <Confirm words action=revoke close>
            <p class="callout danger">
                <Icon name="warning"/>
                <span>"Applications that use this key lose access immediately, and that cannot be undone: it never works again."</span>
            </p>
            <p class="about"><code class="hint">{hint}</code></p>
            <p>{limit}</p>
        </Confirm>
    }
}
