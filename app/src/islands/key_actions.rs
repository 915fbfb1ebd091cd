//! What can be done with a key, each in a dialog of its own.

use domain::{expiration::Moment, id::KeyId};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{browser, notice};
use crate::{
    components::Icon,
    functions::{KeysOf, SecretOnce},
};

mod confirm;
mod delete_dialog;
mod edit_dialog;
mod end_grace_dialog;
mod revoke_dialog;
mod rotate_dialog;

use super::secret_dialog::SecretDialog;
use delete_dialog::DeleteDialog;
use edit_dialog::EditDialog;
use end_grace_dialog::EndGraceDialog;
use revoke_dialog::RevokeDialog;
use rotate_dialog::RotateDialog;

/// What the dialogs need to know of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFacts {
    pub of: KeysOf,
    pub id: KeyId,
    pub name: String,
    pub hint: String,
    pub version: i32,
    pub is_active: bool,
    pub is_expired: bool,
    pub expires: String,
    pub old_secret_until: Option<String>,
    /// The tenant's clocks, for choosing another expiration.
    pub now: Moment,
    pub time_zone: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Edit,
    Rotate,
    EndGrace,
    Revoke,
    Delete,
}

/// Leaves a word on what was done for the page that comes next, and gives the focus back to the key there.
fn tell(facts: &KeyFacts, done: &str) {
    notice::leave(&format!("{done} “{}”.", facts.name), &format!("#{} .row-actions button", facts.id));
}

#[island]
pub fn KeyActions(facts: KeyFacts, public_url: String, on_own_page: bool) -> impl IntoView {
    let open = RwSignal::new(None::<Open>);
    let secret = RwSignal::new(None::<SecretOnce>);
    let facts = StoredValue::new(facts);
    let close = Callback::new(move |()| open.set(None));
    let done = Callback::new(move |what: &'static str| {
        facts.with_value(|facts| tell(facts, what));
        browser::reload();
    });
    let deleted = Callback::new(move |what: &'static str| {
        facts.with_value(|facts| tell(facts, what));
        // The page of a key goes with the key.
        if on_own_page { browser::replace_page("/tenant-api-keys") } else { browser::reload() }
    });
    let rotated = Callback::new(move |once: SecretOnce| {
        open.set(None);
        secret.set(Some(once));
    });
    let dialog = move || {
        let facts = facts.get_value();
        open.get().map(|open| match open {
            Open::Edit => view! { <EditDialog facts close done/> }.into_any(),
            Open::Rotate => view! { <RotateDialog facts close rotated/> }.into_any(),
            Open::EndGrace => view! { <EndGraceDialog facts close done/> }.into_any(),
            Open::Revoke => view! { <RevokeDialog facts close done/> }.into_any(),
            Open::Delete => view! { <DeleteDialog facts close done=deleted/> }.into_any(),
        })
    };
    let button = move |what: Open, icon: &'static str, verb: &'static str| {
        let label = facts.with_value(|facts| format!("{verb} {}", facts.name));
        view! {
            <button class="icon-button" type="button" title=verb aria-label=label aria-haspopup="dialog" on:click=move |_| open.set(Some(what))>
                <Icon name=icon/>
            </button>
        }
    };
    let is_active = facts.with_value(|facts| facts.is_active);
    let in_grace = facts.with_value(|facts| facts.old_secret_until.is_some());
    view! {
        <div class="row-actions">
            {is_active.then(|| view! {
                {button(Open::Edit, "pencil", "Edit")}
                {button(Open::Rotate, "rotate", "Rotate")}
                {button(Open::Revoke, "ban", "Revoke")}
            })}
            {button(Open::Delete, "trash", "Delete")}
        </div>
        {in_grace.then(|| view! {
            <button class="button small" type="button" aria-haspopup="dialog" on:click=move |_| open.set(Some(Open::EndGrace))>
                {if on_own_page { "End the old secret" } else { "End now" }}
            </button>
        })}
        {dialog}
        <SecretDialog
            secret
            name=Signal::derive(move || facts.with_value(|facts| facts.name.clone()))
            public_url
            on_done=move |()| done.run("Rotated")
        />
    }
}
