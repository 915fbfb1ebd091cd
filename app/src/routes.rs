//! The map of the console's URLs.

use axum::{
    Router,
    extract::{Request, State},
    http::{
        StatusCode,
        header::{LOCATION, REFERER},
    },
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use leptos::{prelude::provide_context, server_fn::axum::server_fn_paths};

use crate::{console::Console, pages, session};

/// Every page of the console, and the functions that its islands call.
pub fn routes(console: Console) -> Router {
    // Pages are rendered by tasks of the runtime that serves them. Saying so twice does no harm.
    let _ = any_spawner::Executor::init_tokio();
    let pages = pages().into_iter().fold(Router::new(), |router, (path, page)| router.route(path, page));
    pages.merge(docs()).route("/console/{function}", post(call)).fallback(pages::not_found).with_state(console)
}

/// The pages whose paths the tests go through as everybody: each has to say there who may see it.
fn pages() -> Vec<(&'static str, MethodRouter<Console>)> {
    vec![
        ("/", get(pages::home)),
        ("/sign-in", get(pages::sign_in)),
        ("/tenant-api-keys", get(pages::key_list)),
        ("/tenant-api-keys/new", get(pages::key_new)),
        ("/tenant-api-keys/{id}", get(pages::key)),
        ("/tenant-api-keys/personal", get(pages::personal_keys)),
        ("/tenant-api-keys/personal/{id}", get(pages::personal_key)),
        ("/authorization-groups", get(pages::groups)),
        ("/authorization-groups/new", get(pages::group_new)),
        ("/authorization-groups/{id}", get(pages::group)),
        ("/properties", get(pages::properties)),
        ("/properties/{id}", get(pages::property)),
        ("/audit-log", get(pages::audit_log)),
        ("/audit-log.csv", get(pages::audit_export)),
        ("/people", get(pages::people)),
        ("/people/new", get(pages::person_new)),
        ("/people/{id}", get(pages::person)),
        ("/invitation/{token}", get(pages::invitation)),
        ("/tenants", get(pages::tenants)),
        ("/tenants/new", get(pages::tenant_new)),
        ("/tenants/{id}", get(pages::tenant)),
        ("/user-profile", get(pages::profile)),
        ("/user_profile", get(pages::profile)),
        ("/user-profile/api-keys/new", get(pages::own_key_new)),
        ("/user-profile/api-keys/{id}", get(pages::own_key)),
        ("/security", get(pages::security)),
        ("/security/second-factor", get(pages::second_factor)),
    ]
}

/// The path of every page.
#[must_use]
pub fn page_paths() -> Vec<&'static str> {
    pages().into_iter().map(|(path, _)| path).collect()
}

/// What anybody may read, with a slash at the end and without.
fn docs() -> Router<Console> {
    [
        ("/docs", get(pages::api_reference)),
        ("/docs/keys", get(pages::using_a_key)),
        ("/docs/verify", get(pages::verifying_keys)),
        ("/docs/migrate", get(pages::moving_to_a_key)),
        ("/problems/{code}", get(pages::problem_kind)),
    ]
    .into_iter()
    .fold(Router::new(), |router, (path, methods)| {
        router.route(path, methods.clone()).route(&format!("{path}/"), methods)
    })
}

async fn call(State(console): State<Console>, mut request: Request) -> Response {
    let is_known = server_fn_paths().any(|(path, _)| path == request.uri().path());
    if !is_known {
        return StatusCode::NOT_FOUND.into_response();
    }
    let is_plain_form = session::is_plain_form(request.headers());
    // Leptos would redirect a plain form to its `Referer`, which may be another site.
    request.headers_mut().remove(REFERER);
    let context = move || provide_context(console.clone());
    let mut response = leptos_axum::handle_server_fns_with_context(context, request).await.into_response();
    let failed = response.status().is_client_error() || response.status().is_server_error();
    if is_plain_form && failed && response.headers().contains_key(LOCATION) {
        *response.status_mut() = StatusCode::SEE_OTHER;
    }
    response
}
