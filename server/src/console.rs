//! The console: its pages, server functions and files, and the middleware in front of them.

use app::Console;
use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use tower_http::compression::CompressionLayer;

use crate::{
    assets,
    guard::{self, ConsoleGuard},
    metrics::StaticFile,
};

/// The routes of the console.
pub fn router(console: Console) -> Router {
    let guard = ConsoleGuard::new(console.public_url.clone());
    app::routes(console)
        .layer(CompressionLayer::new().compress_when(is_page))
        .layer(middleware::from_fn(serve_files))
        .layer(middleware::from_fn_with_state(guard, guard::guard_console))
}

/// Returns true for pages. Nothing else is compressed: compressing a secret together with text that another party
/// chooses would leak it through the length (BREACH).
fn is_page(
    _: axum::http::StatusCode,
    _: axum::http::Version,
    headers: &axum::http::HeaderMap,
    _: &axum::http::Extensions,
) -> bool {
    headers.get(axum::http::header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

async fn serve_files(request: Request, next: Next) -> Response {
    match assets::find_asset(&request) {
        Some(mut file) => {
            file.extensions_mut().insert(StaticFile);
            file
        }
        None => next.run(request).await,
    }
}
