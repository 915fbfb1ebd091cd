//! The console's face: its pages, its functions, its files, and what guards them.

use std::sync::Arc;

use app::Console;
use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use domain::secret::redacted;
use ipnet::IpNet;
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer, limit::RequestBodyLimitLayer};

use crate::{address, assets, guard, problem, request_id};

/// More than the longest form takes.
const MOST_BODY_BYTES: usize = 64 * 1024;

/// Everything that a browser can ask for.
pub fn router(console: Console, trusted_proxies: Arc<[IpNet]>) -> Router {
    let public_url = console.public_url.clone();
    app::routes(console)
        .layer(CompressionLayer::new().compress_when(is_page))
        .layer(middleware::from_fn(serve_files))
        .layer(RequestBodyLimitLayer::new(MOST_BODY_BYTES))
        .layer(middleware::from_fn_with_state(public_url.clone(), guard::same_site_only))
        .layer(middleware::from_fn_with_state(trusted_proxies, address::find))
        .layer(middleware::from_fn(log))
        .layer(CatchPanicLayer::custom(problem::of_panic))
        .layer(middleware::from_fn_with_state(public_url.clone(), problem::finish))
        .layer(middleware::from_fn_with_state(public_url, guard::harden))
        .layer(middleware::from_fn(request_id::name))
}

/// Pages alone are compressed: what carries a secret is never mixed with what somebody else chose and then
/// measured by its length.
fn is_page(
    _: axum::http::StatusCode,
    _: axum::http::Version,
    headers: &axum::http::HeaderMap,
    _: &axum::http::Extensions,
) -> bool {
    headers.get(axum::http::header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

async fn serve_files(request: Request, next: Next) -> Response {
    match assets::find(&request) {
        Some(file) => file,
        None => next.run(request).await,
    }
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
