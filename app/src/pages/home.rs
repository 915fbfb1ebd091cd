//! The way in: admins are led to the keys; whoever has none to administer is told so.

use axum::response::{IntoResponse, Redirect, Response};
use domain::person::Role;
use leptos::prelude::*;

use super::{Visitor, security};
use crate::components::Icon;

pub(crate) async fn home(visitor: Visitor) -> Response {
    if visitor.signed_in.as_admin().is_ok() {
        return Redirect::to("/tenant-api-keys").into_response();
    }
    if visitor.signed_in.owes_second_factor() {
        return Redirect::to(security::PATH).into_response();
    }
    let role = visitor.signed_in.person.role;
    visitor.page("Welcome").render(move || view! { <Welcome role/> }).await
}

#[component]
fn Welcome(role: Role) -> impl IntoView {
    let explanation = if role == Role::SuperUser {
        "You run this installation and belong to no tenant. Tenants are made and changed with the command “latchkey tenant” on the server."
    } else {
        "Your organisation’s API keys are kept by its admins. Ask one of them if you need a key or want to see what there is."
    };
    view! {
        <div class="empty">
            <span class="empty-mark"><Icon name="key"/></span>
            <h1>"You are signed in"</h1>
            <p>{explanation}</p>
        </div>
    }
}
