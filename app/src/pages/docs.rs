//! Public pages: the reference of the API, and the guides.

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
mod guide;
mod reference;

use frame::DocsFrame;
use guide::{Guide, GuidePage};
use reference::ReferencePage;

pub(crate) async fn api_reference(visit: Visit) -> Response {
    let (console, path) = (visit.console.clone(), visit.path().to_owned());
    let page = visit.page("API reference").in_its_own_frame();
    page.render(move || {
        let (console, contents) = (console.clone(), reference::contents(&console.reference));
        view! {
            <DocsFrame path=path.clone() contents>
                <article class="docs"><ReferencePage console/></article>
            </DocsFrame>
        }
    })
    .await
}

pub(crate) async fn using_a_key(visit: Visit) -> Response {
    guide_page(visit, &guide::KEYS).await
}

pub(crate) async fn verifying_keys(visit: Visit) -> Response {
    guide_page(visit, &guide::VERIFY).await
}

pub(crate) async fn moving_to_a_key(visit: Visit) -> Response {
    guide_page(visit, &guide::MIGRATE).await
}

async fn guide_page(visit: Visit, guide: &'static Guide) -> Response {
    let (console, path) = (visit.console.clone(), visit.path().to_owned());
    let page = visit.page(guide.title).in_its_own_frame();
    page.render(move || {
        let (console, path) = (console.clone(), path.clone());
        view! { <GuidePage guide console path/> }
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
