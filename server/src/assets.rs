//! The files of the browser side, built by `cargo xtask` and carried inside the program.

use std::borrow::Cow;

use app::Site;
use axum::{
    body::Body,
    extract::Request,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY},
    },
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../target/site"]
#[allow_missing = true]
struct Files;

const MANIFEST: &str = "manifest.json";

/// The site was not built into the program, or beside it.
#[derive(Debug, thiserror::Error)]
#[error("the browser side is missing; build the program with `cargo xtask build`")]
pub struct NoSite;

/// The names of the built files.
///
/// # Errors
/// If there are none.
pub fn site() -> Result<Site, NoSite> {
    match Files::get(MANIFEST) {
        Some(manifest) => serde_json::from_slice(&manifest.data).map_err(|_| NoSite),
        // This way, `cargo test` needs nothing but cargo.
        None if cfg!(debug_assertions) => {
            tracing::warn!("the browser side is missing: pages have no style and no scripts until `cargo xtask build`");
            Ok(Site { output_name: "missing".to_owned(), stylesheet: "missing.css".to_owned() })
        }
        None => Err(NoSite),
    }
}

/// The file of this path, in the smallest form that the client takes; nothing when there is none.
pub fn find_asset(request: &Request) -> Option<Response> {
    let path = request.uri().path().trim_start_matches('/');
    let is_internal = path == MANIFEST || path.ends_with(".br") || path.ends_with(".gz");
    if path.is_empty() || is_internal {
        return None;
    }
    let plain = Files::get(path)?;
    let etag = etag(&plain);
    if request.headers().get(IF_NONE_MATCH) == Some(&etag) {
        return Some((StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response());
    }
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching(path)));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(ETAG, etag);
    let file = match compressed(path, request.headers()) {
        Some((encoding, file)) => {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
            file
        }
        None => plain,
    };
    *response.body_mut() = match file.data {
        Cow::Borrowed(bytes) => Body::from(bytes),
        Cow::Owned(bytes) => Body::from(bytes),
    };
    Some(response)
}

fn compressed(path: &str, headers: &HeaderMap) -> Option<(&'static str, EmbeddedFile)> {
    let accepted = headers.get(ACCEPT_ENCODING)?.to_str().ok()?;
    let accepts = |name: &str| {
        accepted.split(',').any(|choice| {
            let (encoding, weight) = choice.split_once(';').unwrap_or((choice, ""));
            encoding.trim().eq_ignore_ascii_case(name)
                && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
        })
    };
    [("br", ".br"), ("gzip", ".gz")]
        .into_iter()
        .filter(|(name, _)| accepts(name))
        .find_map(|(name, ending)| Some((name, Files::get(&format!("{path}{ending}"))?)))
}

fn etag(file: &EmbeddedFile) -> HeaderValue {
    let hash = file.metadata.sha256_hash();
    let hex: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&format!("\"{hex}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// A file whose name carries its hash never changes.
fn caching(path: &str) -> &'static str {
    let is_hashed = path.starts_with("pkg/") || path.starts_with("latchkey-");
    if is_hashed { "public, max-age=31536000, immutable" } else { "public, max-age=3600" }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "txt" => "text/plain; charset=utf-8",
        "json" | "webmanifest" => "application/json",
        _ => "application/octet-stream",
    }
}
