//! Revoking a key.

use leptos::prelude::*;

use super::{
    KeyFacts,
    confirm::{Confirm, Words, when_done},
};
use crate::{components::Icon, functions::revoke_key};

#[component]
pub(super) fn RevokeDialog(facts: KeyFacts, close: Callback<()>, done: Callback<&'static str>) -> impl IntoView {
    let id = facts.id.clone();
    let revoke = Action::new(move |(): &()| revoke_key(id.clone()));
    when_done(revoke, move |()| done.run("Revoked"));
    let words = Words { title: format!("Revoke “{}”?", facts.name), confirm: "Revoke", pending: "Revoking…" };
    view! {
        <Confirm words action=revoke close>
            <p class="callout danger">
                <Icon name="warning"/>
                <span>"Applications that use this key lose access at once, and that cannot be undone: a revoked key never works again."</span>
            </p>
            <p class="about"><code class="hint">{facts.hint}</code></p>
            <p>"The key stays in the list, marked as revoked, and no longer counts towards the limit."</p>
        </Confirm>
    }
}
