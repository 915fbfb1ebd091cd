//! All that the program answers over HTTP, and the layers that every request passes, whichever face it meets.

use std::sync::Arc;

use app::Console;
use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use domain::{network::IpNet, secret::redacted};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    address,
    api::{self, Api},
    console, guard, problem, request_id,
};

/// The console and the public API side by side.
pub fn router(console: Console, api: Api, trusted_proxies: Arc<[IpNet]>) -> Router {
    let public_url = console.public_url.clone();
    console::router(console)
        .merge(api::router(api))
        .layer(middleware::from_fn_with_state(trusted_proxies, address::find))
        .layer(middleware::from_fn(log))
        .layer(CatchPanicLayer::custom(problem::of_panic))
        .layer(middleware::from_fn_with_state(public_url.clone(), problem::finish))
        .layer(middleware::from_fn_with_state(public_url, guard::harden))
        .layer(middleware::from_fn(request_id::name))
}

/// One line a request. Neither the query nor any header is written down: secrets may be mistaken into both, and
/// even into the path.
async fn log(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), redacted(request.uri().path()).into_owned());
    let start = std::time::Instant::now();
    let response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), start.elapsed());
    if status >= 500 {
        tracing::error!(%method, path, status, ?took, "answered");
    } else {
        tracing::debug!(%method, path, status, ?took, "answered");
    }
    response
}
