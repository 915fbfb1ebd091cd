//! The sign-in.

use axum::{
    http::request::Parts,
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::Parameters;
use crate::{
    components::Icon,
    islands::SignInForm,
    session::{self, FAILED, NEXT},
    shell::Visit,
};

const SIGN_IN_FAILED: &str = "You could not be signed in. Check your e-mail address, your password and the code of your \
                              second factor. After several attempts, wait 15 minutes.";

pub(crate) async fn sign_in(visit: Visit, parameters: Parameters, parts: Parts) -> Response {
    let next = session::safe_redirect_path(parameters.first(NEXT).unwrap_or_default());
    let failed = parameters.first(FAILED).is_some();
    if let Ok(Some(_)) = session::find_session(&visit.console, &parts).await {
        return Redirect::to(&next).into_response();
    }
    let page = visit.page("Sign in");
    page.render(move || {
        let next = next.clone();
        view! {
            <div class="sign-in">
                <p class="brand"><Icon name="key"/>"Latchkey"</p>
                <h1>"Sign in"</h1>
                {failed.then(|| view! { <p class="form-error" role="alert">{SIGN_IN_FAILED}</p> })}
                <SignInForm next/>
                <p class="hint">"For programs: "<a href="/docs">"API reference"</a>" and "<a href="/docs/keys">"Using a key"</a></p>
            </div>
        }
    })
    .await
}
