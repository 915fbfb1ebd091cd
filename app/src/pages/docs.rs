//! What anybody may read: the reference of the API, and the guides.

use axum::{
    extract::{Path, rejection::PathRejection},
    http::request::Parts,
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::problem;
use crate::shell::Visit;

mod code;
mod frame;
mod keys;
mod migrate;
mod reference;
mod verify;

use frame::DocsFrame;
use keys::KeysGuide;
use migrate::MigrateGuide;
use reference::ReferencePage;
use verify::VerifyGuide;

pub(crate) async fn api_reference(visit: Visit) -> Response {
    let (console, path) = (visit.console.clone(), visit.path().to_owned());
    let page = visit.page("API reference").in_its_own_frame();
    page.render(move || {
        let (console, contents) = (console.clone(), reference::contents(&console.reference));
        view! {
            <DocsFrame path=path.clone() contents>
                <ReferencePage console/>
            </DocsFrame>
        }
    })
    .await
}

pub(crate) async fn using_a_key(visit: Visit) -> Response {
    let (public_url, path) = (visit.console.public_url.clone(), visit.path().to_owned());
    let page = visit.page("Using a key").in_its_own_frame();
    page.render(move || {
        let public_url = public_url.clone();
        view! {
            <DocsFrame path=path.clone() contents=keys::contents()>
                <KeysGuide public_url/>
            </DocsFrame>
        }
    })
    .await
}

pub(crate) async fn asking_about_a_key(visit: Visit) -> Response {
    let (public_url, path) = (visit.console.public_url.clone(), visit.path().to_owned());
    let page = visit.page("Ask whether a key is good").in_its_own_frame();
    page.render(move || {
        let public_url = public_url.clone();
        view! {
            <DocsFrame path=path.clone() contents=verify::contents()>
                <VerifyGuide public_url/>
            </DocsFrame>
        }
    })
    .await
}

pub(crate) async fn moving_to_a_key(visit: Visit) -> Response {
    let (console, path) = (visit.console.clone(), visit.path().to_owned());
    let page = visit.page("Moving from Basic and JWT to a key").in_its_own_frame();
    page.render(move || {
        let console = console.clone();
        view! {
            <DocsFrame path=path.clone() contents=migrate::contents()>
                <MigrateGuide console/>
            </DocsFrame>
        }
    })
    .await
}

/// Where the `type` of a problem leads: to what the reference says of it.
pub(crate) async fn problem_kind(visit: Visit, code: Result<Path<String>, PathRejection>, parts: Parts) -> Response {
    match code {
        Ok(Path(code)) if visit.console.reference.has_problem(&code) => {
            Redirect::to(&format!("/docs#problem-{code}")).into_response()
        }
        _ => problem::not_found(visit, parts).await,
    }
}
