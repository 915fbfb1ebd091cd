//! The public API: what integrations call with a key.

use std::sync::Arc;

use axum::{Json, Router, middleware, routing::get};
use booking::Booking;
use keyring::Keyring;
use utoipa::openapi::OpenApi;

use crate::{
    metrics::Metrics,
    problem::{Code, Problem},
};

pub mod admission;
mod body;
pub(crate) mod cors;
pub mod credential;
mod cursor;
pub(crate) mod exchange;
mod idempotency_key;
mod list;
pub mod openapi;
pub(crate) mod parameters;
pub mod reference;
mod v1;

/// What the API works with.
#[derive(Clone)]
pub struct Api {
    pub keyring: Keyring,
    pub booking: Booking,
    pub metrics: Arc<Metrics>,
    /// Without a slash at the end.
    pub public_url: Arc<str>,
}

/// Everything below `/api`.
pub fn router(api: Api) -> Router {
    let document = Arc::new(openapi::document(&api.public_url));
    Router::new()
        .nest("/api/v1", v1::routes())
        .route("/api/openapi.json", get(async move || describe(&document)))
        .route("/api/{*path}", axum::routing::any(nowhere))
        .method_not_allowed_fallback(other_method)
        .layer(middleware::from_fn_with_state(api.clone(), exchange::around))
        .layer(middleware::from_fn(cors::share))
        .with_state(api)
}

fn describe(document: &OpenApi) -> Json<OpenApi> {
    Json(document.clone())
}

async fn nowhere() -> Problem {
    Problem::new(Code::NotFound, "There is no such address in the API. /docs lists those that there are.")
}

async fn other_method() -> Problem {
    Code::MethodNotAllowed.into()
}
