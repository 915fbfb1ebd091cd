//! The map of the console's URLs.

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use leptos::{prelude::provide_context, server_fn::axum::server_fn_paths};

use crate::{console::Console, pages};

/// Every page of the console, and the functions that its islands call.
pub fn routes(console: Console) -> Router {
    // Pages are rendered by tasks of the runtime that serves them. Saying so twice does no harm.
    let _ = any_spawner::Executor::init_tokio();
    Router::new()
        .route("/", get(pages::home))
        .route("/sign-in", get(pages::sign_in))
        .route("/tenant-api-keys", get(pages::key_list))
        .route("/tenant-api-keys/new", get(pages::key_new))
        .route("/tenant-api-keys/{id}", get(pages::key))
        .route("/tenant-api-keys/personal", get(pages::personal_keys))
        .route("/tenant-api-keys/personal/{id}", get(pages::personal_key))
        .route("/user-profile/api-keys/new", get(pages::own_key_new))
        .route("/user-profile/api-keys/{id}", get(pages::own_key))
        .route("/security", get(pages::security))
        .route("/security/second-factor", get(pages::second_factor))
        .route("/people", get(pages::people))
        .route("/people/new", get(pages::person_new))
        .route("/people/{id}", get(pages::person))
        .route("/invitation/{token}", get(pages::invitation))
        .route("/user-profile", get(pages::profile))
        .route("/user_profile", get(pages::profile))
        .merge(docs())
        .route("/console/{function}", post(call))
        .fallback(pages::not_found)
        .with_state(console)
}

/// What anybody may read, with a slash at the end and without.
fn docs() -> Router<Console> {
    [
        ("/docs", get(pages::api_reference)),
        ("/docs/keys", get(pages::using_a_key)),
        ("/docs/migrate", get(pages::moving_to_a_key)),
        ("/problems/{code}", get(pages::problem_kind)),
    ]
    .into_iter()
    .fold(Router::new(), |router, (path, methods)| {
        router.route(path, methods.clone()).route(&format!("{path}/"), methods)
    })
}

async fn call(State(console): State<Console>, request: Request) -> Response {
    let is_known = server_fn_paths().any(|(path, _)| path == request.uri().path());
    if !is_known {
        return StatusCode::NOT_FOUND.into_response();
    }
    leptos_axum::handle_server_fns_with_context(move || provide_context(console.clone()), request).await.into_response()
}
