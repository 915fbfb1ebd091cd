//! A dialog that asks before it does one thing.

use leptos::prelude::*;
use web_sys::SubmitEvent;

use crate::{
    error::ConsoleError,
    islands::{
        dialog::{Dialog, Failure},
        submit_button::SubmitButton,
    },
};

/// The words of a confirmation.
#[derive(Clone)]
pub(super) struct Words {
    pub(super) title: String,
    pub(super) confirm: &'static str,
    pub(super) pending: &'static str,
}

/// Asks, does it, and says what went wrong if it could not be done.
#[component]
pub(super) fn Confirm<T: Clone + Send + Sync + 'static>(
    words: Words,
    action: Action<(), Result<T, ConsoleError>>,
    #[prop(into)] close: Callback<()>,
    /// Whether everything that is asked for has been given.
    #[prop(into, default = Signal::stored(true))]
    is_complete: Signal<bool>,
    #[prop(optional)] is_harmless: bool,
    children: Children,
) -> impl IntoView {
    let Words { title, confirm, pending: doing } = words;
    let pending = action.pending();
    let failure = Signal::derive(move || {
        action.value().with(|value| value.as_ref().and_then(|result| result.as_ref().err().cloned()))
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if is_complete.get_untracked() && !pending.get_untracked() {
            action.clear();
            action.dispatch(());
        }
    };
    // What is under way cannot be taken back, and its answer may be the only one: a new secret, say.
    let close = Callback::new(move |()| {
        if !pending.get_untracked() {
            close.run(());
        }
    });
    view! {
        <Dialog labelled_by="dialog-title" on_escape=close>
            <form class="form" novalidate on:submit=submit>
                <header class="dialog-header"><h2 id="dialog-title">{title}</h2></header>
                {children()}
                <Failure error=failure/>
                <footer class="dialog-footer">
                    <button class="button" type="button" on:click=move |_| close.run(())>"Cancel"</button>
                    <SubmitButton label=confirm doing pending is_danger=!is_harmless is_complete/>
                </footer>
            </form>
        </Dialog>
    }
}

/// Runs `then` once the action has succeeded.
pub(super) fn when_done<T: Clone + Send + Sync + 'static>(
    action: Action<(), Result<T, ConsoleError>>,
    then: impl Fn(T) + 'static,
) {
    Effect::new(move |_| {
        if let Some(Ok(value)) = action.value().get() {
            then(value);
        }
    });
}
