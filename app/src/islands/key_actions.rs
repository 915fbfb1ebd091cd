//! What can be done with a key, each in a dialog of its own.

use domain::{expiration::ExpiresAt, id::KeyId};
use leptos::{html, prelude::*};
use serde::{Deserialize, Serialize};

use super::{browser, notice};
use crate::{
    components::Icon,
    model::{KeysOf, SecretOnce},
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
    pub now: ExpiresAt,
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

/// Something that can be done with a key.
#[derive(Clone, Copy)]
struct Doable {
    opens: Open,
    icon: &'static str,
    verb: &'static str,
}

const EDIT: Doable = Doable { opens: Open::Edit, icon: "pencil", verb: "Edit" };
const ROTATE: Doable = Doable { opens: Open::Rotate, icon: "rotate", verb: "Rotate" };
const REVOKE: Doable = Doable { opens: Open::Revoke, icon: "ban", verb: "Revoke" };
const WITHDRAW: Doable = Doable { opens: Open::Revoke, icon: "ban", verb: "Withdraw" };
const DELETE: Doable = Doable { opens: Open::Delete, icon: "trash", verb: "Delete" };

const fn doable(of: KeysOf, is_active: bool) -> &'static [Doable] {
    match (of, is_active) {
        (KeysOf::Tenant, true) => &[EDIT, ROTATE, REVOKE, DELETE],
        (KeysOf::Oneself, true) => &[EDIT, ROTATE, WITHDRAW, DELETE],
        (KeysOf::Tenant | KeysOf::Oneself, false) => &[DELETE],
        (KeysOf::People, true) => &[WITHDRAW],
        (KeysOf::People, false) => &[],
    }
}

#[component]
fn Buttons(name: String, doable: &'static [Doable], open: RwSignal<Option<Open>>) -> impl IntoView {
    doable
        .iter()
        .map(|&Doable { opens, icon, verb }| {
            let label = format!("{verb} {name}");
            view! {
                <button class="icon-button" type="button" title=verb aria-label=label aria-haspopup="dialog" on:click=move |_| open.set(Some(opens))>
                    <Icon name=icon/>
                </button>
            }
        })
        .collect_view()
}

/// The same behind one button. The browser opens it, closes it, and takes the focus there and back.
#[component]
fn Menu(id: String, name: String, doable: &'static [Doable], open: RwSignal<Option<Open>>) -> impl IntoView {
    let list = NodeRef::<html::Ul>::new();
    let choose = move |opens: Open| {
        // First, so that the dialog gives the focus back to the button of the menu.
        if let Some(list) = list.get_untracked() {
            let _ = list.hide_popover();
        }
        open.set(Some(opens));
    };
    let items = doable.iter().map(|&Doable { opens, icon, verb }| {
        view! {
            <li><button class="menu-item" type="button" aria-haspopup="dialog" on:click=move |_| choose(opens)><Icon name=icon/>{verb}</button></li>
        }
    });
    view! {
        <button class="button small" type="button" popovertarget=id.clone() aria-label=format!("Actions for {name}")>
            "Actions"<Icon name="down"/>
        </button>
        <ul class="menu" id=id popover="auto" node_ref=list>{items.collect_view()}</ul>
    }
}

/// Leaves a word on what was done for the page that comes next, and gives the focus back to the key there.
fn announce(facts: &KeyFacts, done: &str) {
    notice::leave(&format!("{done} “{}”.", facts.name), &format!("#{} .row-actions button", facts.id));
}

#[island]
pub fn KeyActions(facts: KeyFacts, public_url: String, on_own_page: bool) -> impl IntoView {
    let open = RwSignal::new(None::<Open>);
    let secret = RwSignal::new(None::<SecretOnce>);
    let of = facts.of;
    let facts = StoredValue::new(facts);
    let close = Callback::new(move |()| open.set(None));
    let done = Callback::new(move |what: &'static str| {
        facts.with_value(|facts| announce(facts, what));
        browser::reload();
    });
    let deleted = Callback::new(move |what: &'static str| {
        facts.with_value(|facts| announce(facts, what));
        // The page of a key goes with the key.
        if on_own_page { browser::replace_page(of.list_path()) } else { browser::reload() }
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
    let KeyFacts { name, id, is_active, old_secret_until, .. } = facts.get_value();
    let doable = doable(of, is_active);
    let buttons = match of {
        KeysOf::Oneself => view! { <Menu id=format!("actions-{id}") name doable open/> }.into_any(),
        KeysOf::Tenant | KeysOf::People => view! { <Buttons name doable open/> }.into_any(),
    };
    let in_grace = old_secret_until.is_some() && of != KeysOf::People;
    view! {
        <div class="row-actions">{buttons}</div>
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
