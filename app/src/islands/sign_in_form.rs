//! The sign-in form. Without scripts it posts all the same.

use domain::field::Field;
use leptos::{html, prelude::*};
use web_sys::SubmitEvent;

use super::browser;
use crate::{error::ConsoleError, functions::sign_in};

/// Without scripts nobody can be asked for the code afterwards. As text, because a browser with scripts has nothing
/// else in there.
const CODE_WITHOUT_SCRIPTS: &str = "<div class=\"field\"><label for=\"code\">Code of your second factor</label>\
    <input id=\"code\" name=\"code\" autocomplete=\"one-time-code\" aria-describedby=\"code-hint\">\
    <p class=\"hint\" id=\"code-hint\">Leave it empty if you have none.</p></div>";

#[island]
pub fn SignInForm(
    /// Where to go afterwards.
    next: String,
) -> impl IntoView {
    // The fields keep their own values: people and password managers fill them in before the page is alive.
    let [email, password, organization, code] = [(); 4].map(|()| NodeRef::<html::Input>::new());
    let typed = |field: NodeRef<html::Input>| field.get_untracked().map(|input| input.value()).unwrap_or_default();
    let attempt = Action::new({
        let next = next.clone();
        move |(): &()| sign_in(typed(email), typed(password), typed(organization), typed(code), next.clone())
    });
    let pending = attempt.pending();
    let failure = move || attempt.value().get().and_then(Result::err);
    let asks_for_code = RwSignal::new(false);
    let code_error = move || failure().and_then(|error| about_code(&error));
    let other_error = move || failure().filter(|error| !asks(error) && about_code(error).is_none());
    Effect::new(move |_| match attempt.value().get() {
        Some(Ok(next)) => browser::replace_page(&next),
        Some(Err(ConsoleError::CodeNeeded)) => asks_for_code.set(true),
        Some(Err(error)) if about_code(&error).is_some() => focus_again(code),
        // Once a code is asked for, the password is known to be right.
        Some(Err(ConsoleError::Refused(_))) if !asks_for_code.get_untracked() => empty(password),
        _ => {}
    });
    Effect::new(move |_| {
        if let Some(input) = code.get() {
            let _ = input.focus();
        }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if !pending.get_untracked() {
            attempt.dispatch(());
        }
    };
    view! {
        <form class="form" method="post" action="/console/sign_in" on:submit=submit>
            <input type="hidden" name="next" value=next/>
            <div class="field">
                <label for="email">"E-mail"</label>
                <input
                    id="email"
                    name="email"
                    type="email"
                    autocomplete="username"
                    required
                    autofocus
                    node_ref=email
                    aria-describedby="sign-in-error"
                />
            </div>
            <div class="field">
                <label for="password">"Password"</label>
                <input
                    id="password"
                    name="password"
                    type="password"
                    autocomplete="current-password"
                    required
                    node_ref=password
                    aria-describedby="sign-in-error"
                />
            </div>
            <div class="field">
                <label for="organization">"Organization (optional)"</label>
                <input
                    id="organization"
                    name="organization"
                    autocomplete="organization"
                    autocapitalize="none"
                    spellcheck="false"
                    node_ref=organization
                    aria-describedby="organization-hint sign-in-error"
                />
                <p class="hint" id="organization-hint">"Its short name. Needed only if you belong to several."</p>
            </div>
            <noscript inner_html=CODE_WITHOUT_SCRIPTS></noscript>
            {move || asks_for_code.get().then(|| view! { <CodeField code error=Signal::derive(code_error)/> })}
            <p class="form-error" id="sign-in-error" role="alert">{move || other_error().map(|error| error.to_string())}</p>
            <button class="button primary wide" type="submit" aria-disabled=move || pending.get().to_string()>
                {move || if pending.get() { "Signing in…" } else { "Sign in" }}
            </button>
        </form>
    }
}

/// The password was right, and a code has to come with it.
#[component]
fn CodeField(code: NodeRef<html::Input>, error: Signal<Option<String>>) -> impl IntoView {
    view! {
        <div class="field">
            <label for="code">"Code"</label>
            <input
                id="code"
                name="code"
                autocomplete="one-time-code"
                autocapitalize="none"
                spellcheck="false"
                required
                node_ref=code
                aria-invalid=move || error.get().map(|_| "true")
                aria-describedby="code-hint code-error"
            />
            <p class="hint" id="code-hint">"The six digits that your authenticator app shows. A recovery code does as well."</p>
            <p class="field-error" id="code-error" role="alert">{move || error.get()}</p>
        </div>
    }
}

/// What is wrong with the code, if it is the code that is wrong.
fn about_code(error: &ConsoleError) -> Option<String> {
    let ConsoleError::Invalid(errors) = error else { return None };
    errors.of(Field::Code).next().map(|error| error.detail.clone())
}

fn asks(error: &ConsoleError) -> bool {
    matches!(error, ConsoleError::CodeNeeded)
}

fn empty(field: NodeRef<html::Input>) {
    if let Some(input) = field.get_untracked() {
        input.set_value("");
    }
}

/// Goes back to a field with what is in it selected, to be typed anew.
fn focus_again(field: NodeRef<html::Input>) {
    if let Some(input) = field.get_untracked() {
        let _ = input.focus();
        input.select();
    }
}
