//! A native dialog: the browser keeps the focus inside and gives it back.

use leptos::{ev, html, prelude::*};
use web_sys::Event;

use crate::error::ConsoleError;

/// A modal dialog. Unless told otherwise, it is open for as long as it is in the page.
#[component]
pub(super) fn Dialog(
    /// The id of the heading in it.
    #[prop(into)]
    labelled_by: String,
    #[prop(into, default = Signal::stored(true))] is_open: Signal<bool>,
    /// Escape was pressed.
    #[prop(into)]
    on_escape: Callback<()>,
    #[prop(optional)] wide: bool,
    children: Children,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        match (is_open.get(), dialog.open()) {
            (true, false) => {
                let _ = dialog.show_modal();
            }
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    // The browser would close the dialog by itself, at the second press at the latest; whether it may close is
    // for the owner to say. Heard on the window, because the focus is nowhere while a dialog's content changes.
    let escape = window_event_listener(ev::keydown, move |event| {
        if event.key() == "Escape" && is_open.get_untracked() {
            event.prevent_default();
            on_escape.run(());
        }
    });
    on_cleanup(move || {
        escape.remove();
        // Closed before it is taken out of the page, the dialog gives the focus back to what opened it.
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    });
    let cancel = move |event: Event| {
        event.prevent_default();
        on_escape.run(());
    };
    view! {
        <dialog
            class="dialog"
            class:wide=wide
            node_ref=dialog
            aria-labelledby=labelled_by
            closedby="none"
            on:cancel=cancel
        >
            {children()}
        </dialog>
    }
}

/// What went wrong with what a dialog or a form was to do.
#[component]
pub(super) fn Failure(#[prop(into)] error: Signal<Option<ConsoleError>>) -> impl IntoView {
    view! { <p class="form-error" role="alert">{move || error.get().map(|error| error.to_string())}</p> }
}
