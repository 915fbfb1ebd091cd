//! Deleting a key.

use leptos::prelude::*;

use super::{
    KeyFacts,
    confirm::{Confirm, Words, when_done},
};
use crate::{components::Icon, functions::delete_key};

#[component]
pub(super) fn DeleteDialog(facts: KeyFacts, close: Callback<()>, done: Callback<&'static str>) -> impl IntoView {
    let KeyFacts { of, id, name, hint, is_active, .. } = facts;
    let delete = Action::new(move |(): &()| delete_key(of, id.clone()));
    when_done(delete, move |()| done.run("Deleted"));
    let typed = RwSignal::new(String::new());
    let expected = name.clone();
    let is_complete = Signal::derive(move || !is_active || typed.with(|typed| typed.trim() == expected));
    let words = Words { title: format!("Delete “{name}”?"), confirm: "Delete", pending: "Deleting…" };
    view! {
        <Confirm words action=delete close is_complete>
            <p class="callout danger">
                <Icon name="warning"/>
                <span>
                    {is_active.then_some("The key is active: applications that use it lose access immediately. ")}
                    "The key and its usage log are gone for good; only the audit log remembers them."
                </span>
            </p>
            <p class="about"><code class="hint">{hint}</code></p>
            {is_active.then(|| view! {
                <div class="field">
                    <label for="confirm-name">"Type "<strong>{name}</strong>" to confirm"</label>
                    <input id="confirm-name" type="text" autocomplete="off" spellcheck="false" bind:value=typed/>
                </div>
            })}
        </Confirm>
    }
}
