//! Asks people to confirm their identity when the function of a form requires it, then sends the form again.

use leptos::{html, prelude::*};
use web_sys::SubmitEvent;

use super::{controls, sending::Sending};
use crate::{
    error::ConsoleError,
    functions::confirm_identity,
    islands::{
        dialog::{Dialog, Failure},
        submit_button::SubmitButton,
    },
};

const FORM: &str = "step-up";

/// The dialog, for as long as the form waits for it.
#[component]
pub(in crate::islands) fn StepUp(sending: Sending) -> impl IntoView {
    move || sending.step_up().get().map(|needs_code| view! { <StepUpDialog sending needs_code/> })
}

#[component]
fn StepUpDialog(sending: Sending, needs_code: bool) -> impl IntoView {
    let element = NodeRef::<html::Form>::new();
    let [password, code] = [(); 2].map(|()| NodeRef::<html::Input>::new());
    let typed = |field: NodeRef<html::Input>| field.get_untracked().map(|input| input.value()).unwrap_or_default();
    let failure = RwSignal::new(None);
    let confirm = Action::new(move |(): &()| {
        let (password, code) = (typed(password), typed(code));
        async move {
            match confirm_identity(password, code).await {
                Ok(()) => sending.send_again(),
                Err(error) => show_error(element, error, failure),
            }
        }
    });
    let pending = confirm.pending();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if !pending.get_untracked() {
            failure.set(None);
            element.get_untracked().iter().for_each(controls::forget_errors);
            confirm.dispatch(());
        }
    };
    let cancel = move || {
        if !pending.get_untracked() {
            sending.cancel_step_up();
        }
    };
    view! {
        <Dialog labelled_by="step-up-title" on_escape=move |()| cancel()>
            <header class="dialog-header"><h2 id="step-up-title">"Confirm that it is you"</h2></header>
            <form class="form" id=FORM method="post" novalidate node_ref=element on:submit=submit>
                <p>"This change decides who can sign in, or with what rights. Enter your password to go on."</p>
                <div class="field">
                    <label for="step-up-password">"Password"</label>
                    <input
                        id="step-up-password"
                        name="password"
                        type="password"
                        autocomplete="current-password"
                        required
                        autofocus
                        node_ref=password
                        aria-describedby="step-up-password-error"
                    />
                    <div class="field-error" id="step-up-password-error" aria-live="polite"></div>
                </div>
                {needs_code.then(|| view! {
                    <div class="field">
                        <label for="step-up-code">"Code"</label>
                        <input
                            id="step-up-code"
                            name="code"
                            autocomplete="one-time-code"
                            spellcheck="false"
                            required
                            node_ref=code
                            aria-describedby="step-up-code-hint step-up-code-error"
                        />
                        <p class="hint" id="step-up-code-hint">
                            "The six digits that your authenticator app shows, or a recovery code."
                        </p>
                        <div class="field-error" id="step-up-code-error" aria-live="polite"></div>
                    </div>
                })}
                <Failure error=failure/>
                <footer class="dialog-footer">
                    <button class="button" type="button" on:click=move |_| cancel()>"Cancel"</button>
                    <SubmitButton label="Confirm" doing="Confirming…" pending=pending/>
                </footer>
            </form>
        </Dialog>
    }
}

/// Shows what is wrong with a field at the field, and anything else above the buttons.
fn show_error(form: NodeRef<html::Form>, error: ConsoleError, failure: RwSignal<Option<ConsoleError>>) {
    let (ConsoleError::Invalid(errors), Some(form)) = (error.clone(), form.get_untracked()) else {
        failure.set(Some(error));
        return;
    };
    controls::show_errors(&form, errors);
    controls::focus_first_error(&form);
}
