//! The form that generates a key, and the secret it leads to.

use domain::{
    expiration::{ExpirationDraft, ExpiresAt},
    field::{Field, FieldErrors},
    key_draft::{Choices, KeyDraft},
};
use leptos::prelude::*;
use web_sys::SubmitEvent;

use super::{
    browser,
    dialog::Failure,
    expiration_field::{ExpirationField, ExpirationForm},
    key_fields::{AccessFields, IdentityFields, KeyForm, RestrictionFields, focus_first_error},
    notice,
    secret_dialog::SecretDialog,
    submit_button::SubmitButton,
};
use crate::{error::ConsoleError, functions::generate_key, model::KeysOf};

#[island]
pub fn GenerateKey(
    of: KeysOf,
    choices: Choices,
    now: ExpiresAt,
    public_url: String,
    time_zone: String,
) -> impl IntoView {
    let (verb, doing, did) = match of {
        KeysOf::Oneself => ("Create", "Creating…", "Created"),
        KeysOf::Tenant | KeysOf::People => ("Generate", "Generating…", "Generated"),
    };
    let form = KeyForm::new(KeyDraft::default(), choices);
    let expiration = ExpirationForm::new(ExpirationDraft::Never, now, time_zone);
    let secret = RwSignal::new(None);
    let failure = RwSignal::new(None::<ConsoleError>);
    let attempt =
        Action::new(move |(): &()| generate_key(of, form.draft.get_untracked(), expiration.draft.get_untracked()));
    let pending = attempt.pending();
    Effect::new(move |_| match attempt.value().get() {
        None => {}
        Some(Ok(once)) => {
            attempt.clear();
            secret.set(Some(once));
        }
        Some(Err(ConsoleError::Invalid(errors))) => {
            let (of_expiration, of_form) = errors.0.into_iter().partition(|error| error.field == Field::ExpiresAt);
            expiration.show_from_server(FieldErrors(of_expiration));
            form.show_from_server(FieldErrors(of_form));
        }
        Some(Err(error)) => failure.set(Some(error)),
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        failure.set(None);
        let (is_form_right, is_expiration_right) = (form.check_all(), expiration.check());
        if !is_form_right || !is_expiration_right {
            focus_first_error();
        } else if !pending.get_untracked() {
            attempt.dispatch(());
        }
    };
    // What is typed before the page is alive would be lost.
    let is_alive = RwSignal::new(false);
    Effect::new(move |_| is_alive.set(true));
    let done = move |()| {
        let name = form.draft.with_untracked(|draft| draft.name.trim().to_owned());
        notice::leave(&format!("{did} “{name}”."), "tbody tr:first-child .row-actions button");
        browser::replace_page(of.list_path());
    };
    view! {
        <form class="form page-form" novalidate inert=move || !is_alive.get() on:submit=submit>
            <section>
                <h2>"Key information"</h2>
                <IdentityFields form/>
            </section>
            <section>
                <h2>"Access"</h2>
                <AccessFields form/>
            </section>
            <section>
                <h2>"Expiration"</h2>
                <ExpirationField form=expiration/>
            </section>
            <section>
                <h2>"Restrictions"</h2>
                <RestrictionFields form/>
            </section>
            <Failure error=failure/>
            <footer class="form-footer">
                <a class="button" href=of.list_path()>"Cancel"</a>
                <SubmitButton label=verb doing pending/>
            </footer>
        </form>
        <SecretDialog secret name=Signal::derive(move || form.draft.with(|draft| draft.name.trim().to_owned())) public_url on_done=done/>
    }
}
