//! A button that opens a small form in a dialog: to confirm something, or to fill in a field or two.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    dialog::Dialog,
    server_form::{Fields, FormSpec, Revealed, Sending, StepUp},
};
use crate::components::Icon;

/// The button that opens a dialog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opener {
    /// What stands on it.
    pub label: String,
    /// What it is called where several have the same label.
    pub name: String,
    pub icon: Option<String>,
    pub class: String,
    /// Whether the icon alone is seen.
    pub is_bare: bool,
}

impl Opener {
    #[must_use]
    pub fn button(label: &str) -> Self {
        Self { label: label.to_owned(), name: label.to_owned(), icon: None, class: "button".to_owned(), is_bare: false }
    }

    /// An icon, which has to be told from those for other things by its whole name: `Rename Harbour House`.
    #[must_use]
    pub fn icon(icon: &str, label: &str, name: impl Into<String>) -> Self {
        let button = Self::button(label).with_icon(icon).named(name).with_class("icon-button");
        Self { is_bare: true, ..button }
    }

    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    #[must_use]
    pub fn with_icon(self, icon: &str) -> Self {
        Self { icon: Some(icon.to_owned()), ..self }
    }

    #[must_use]
    pub fn with_class(self, class: &str) -> Self {
        Self { class: class.to_owned(), ..self }
    }
}

/// A form in a dialog, around fields that the server rendered.
#[island]
pub fn FormDialog(opener: Opener, title: String, form: FormSpec, children: Children) -> impl IntoView {
    let heading = format!("{}-title", form.id);
    let sending = Sending::new(form);
    let is_open = RwSignal::new(false);
    // What is under way cannot be taken back, and its answer may be the only one.
    let close = Callback::new(move |()| {
        if !sending.pending().get_untracked() {
            is_open.set(false);
        }
    });
    // What is filled in stays in the page while another dialog takes its turn.
    let is_shown = Signal::derive(move || {
        is_open.get() && sending.revealed().with(Option::is_none) && sending.step_up().with(Option::is_none)
    });
    let cancel = view! { <button class="button" type="button" on:click=move |_| close.run(())>"Cancel"</button> };
    view! {
        <OpenerButton opener on_open=move |()| is_open.set(true)/>
        <Dialog labelled_by=heading.clone() is_open=is_shown on_escape=close>
            <header class="dialog-header"><h2 id=heading>{title}</h2></header>
            <Fields sending footer="dialog-footer" cancel=cancel.into_any()>{children()}</Fields>
        </Dialog>
        <StepUp sending/>
        <Revealed sending/>
    }
}

#[component]
fn OpenerButton(opener: Opener, #[prop(into)] on_open: Callback<()>) -> impl IntoView {
    let Opener { label, name, icon, class, is_bare } = opener;
    let title = is_bare.then(|| label.clone());
    view! {
        <button class=class type="button" title=title aria-label=name aria-haspopup="dialog" on:click=move |_| on_open.run(())>
            {icon.map(|name| view! { <Icon name/> })}
            {(!is_bare).then_some(label)}
        </button>
    }
}
