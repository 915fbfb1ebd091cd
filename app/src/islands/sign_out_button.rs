//! Signing out. Without scripts it posts all the same.

use leptos::prelude::*;
use web_sys::SubmitEvent;

use super::browser;
use crate::{components::Icon, functions::sign_out};

/// Calls rather than posts where it can: a form's post carries no origin under our referrer policy, and old
/// browsers say nothing else of where they come from.
#[island]
pub fn SignOutButton() -> impl IntoView {
    let leave = Action::new(|(): &()| sign_out());
    Effect::new(move |_| {
        if leave.value().get().is_some() {
            browser::replace_page("/sign-in");
        }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        leave.dispatch(());
    };
    view! {
        <form method="post" action="/console/sign_out" on:submit=submit>
            <button class="button quiet" type="submit"><Icon name="sign-out"/>"Sign out"</button>
        </form>
    }
}
