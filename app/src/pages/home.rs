//! The way in: admins are led to the keys; whoever has none to administer is told so.

use axum::response::{IntoResponse, Redirect, Response};
use domain::person::Person;
use keyring::ActiveSession;
use leptos::prelude::*;

use super::{
    Visitor,
    problem::{AdminContacts, admin_contacts},
};
use crate::components::Icon;

pub(crate) async fn home(visitor: Visitor) -> Response {
    if let Some(way_in) = way_in(&visitor.signed_in) {
        return Redirect::to(way_in).into_response();
    }
    let admins = admin_contacts(&visitor).await;
    visitor.page("Welcome").render(move || view! { <Welcome admins=admins.clone()/> }).await
}

/// The first page of somebody who has anything to administer.
fn way_in(signed_in: &ActiveSession) -> Option<&'static str> {
    match signed_in.as_admin() {
        Ok(admin) if admin.tenant().api_keys => Some("/tenant-api-keys"),
        Ok(_) => Some("/audit-log"),
        Err(_) => signed_in.as_super_user().ok().map(|_| super::TENANTS_PATH),
    }
}

#[component]
fn Welcome(admins: Vec<Person>) -> impl IntoView {
    view! {
        <div class="empty">
            <span class="empty-mark"><Icon name="key"/></span>
            <h1>"You are signed in"</h1>
            <p>
                "Your organization’s API keys are kept by its admins. Ask one of them if you need a key or want to see what there is"
                <AdminContacts people=admins/>
            </p>
        </div>
    }
}
