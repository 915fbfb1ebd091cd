//! The sign-in form. Without scripts it posts all the same.

use leptos::{html, prelude::*};
use web_sys::SubmitEvent;

use super::browser;
use crate::functions::sign_in;

#[island]
pub fn SignInForm(
    /// Where to go afterwards.
    next: String,
) -> impl IntoView {
    // The fields keep their own values: people and password managers fill them in before the page is alive.
    let (email, password) = (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    let typed = |field: NodeRef<html::Input>| field.get_untracked().map(|input| input.value()).unwrap_or_default();
    let attempt = Action::new({
        let next = next.clone();
        move |(): &()| sign_in(typed(email), typed(password), String::new(), next.clone())
    });
    let pending = attempt.pending();
    let failure = move || attempt.value().get().and_then(Result::err);
    Effect::new(move |_| match attempt.value().get() {
        Some(Ok(next)) => browser::replace_page(&next),
        Some(Err(_)) => {
            if let Some(input) = password.get_untracked() {
                input.set_value("");
            }
        }
        None => {}
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
            <p class="form-error" id="sign-in-error" role="alert">{move || failure().map(|error| error.to_string())}</p>
            <button class="button primary wide" type="submit" aria-disabled=move || pending.get().to_string()>
                {move || if pending.get() { "Signing in…" } else { "Sign in" }}
            </button>
        </form>
    }
}
