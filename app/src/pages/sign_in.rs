//! The sign-in.

use axum::{
    extract::{Query, rejection::QueryRejection},
    http::request::Parts,
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use crate::{components::Icon, islands::SignInForm, session, shell::Visit};

#[derive(Deserialize)]
pub(crate) struct SignInQuery {
    #[serde(default)]
    next: String,
}

pub(crate) async fn sign_in(visit: Visit, query: Result<Query<SignInQuery>, QueryRejection>, parts: Parts) -> Response {
    let next = session::own_path(&query.map(|Query(query)| query.next).unwrap_or_default());
    if let Ok(Some(_)) = session::find(&visit.console, &parts).await {
        return Redirect::to(&next).into_response();
    }
    let page = visit.page("Sign in");
    page.render(move || {
        let next = next.clone();
        view! {
            <div class="sign-in">
                <p class="brand"><Icon name="key"/>"Latchkey"</p>
                <h1>"Sign in"</h1>
                <SignInForm next/>
                <p class="hint">"For programs: "<a href="/docs">"API reference"</a>" and "<a href="/docs/keys">"Using a key"</a></p>
            </div>
        }
    })
    .await
}
