//! What stands in front of every page and function of the console.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, ORIGIN, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::origin::Origin;

use crate::problem::{Code, Problem};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// What answers get that bring no policy of their own, such as files and errors.
const STRICTEST_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'");

/// Refuses requests that another site made a browser send: whatever could change something has to come from
/// the console's own pages.
pub async fn same_site_only(State(public_url): State<Arc<str>>, request: Request, next: Next) -> Response {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if is_safe || is_from_us(request.headers(), &public_url) {
        return next.run(request).await;
    }
    Problem::from(Code::CrossSite).into_response()
}

/// Browsers say which site a request comes from; the old ones that do not at least send its origin.
fn is_from_us(headers: &HeaderMap, public_url: &str) -> bool {
    match headers.get(SEC_FETCH_SITE) {
        Some(site) => site == "same-origin",
        None => {
            let origin = headers.get(ORIGIN).and_then(|origin| Origin::parse(origin.to_str().ok()?).ok());
            origin.is_some() && origin == Origin::parse(public_url).ok()
        }
    }
}

/// Adds the headers that keep browsers strict.
pub fn harden(headers: &mut HeaderMap, public_url: &str) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(STRICTEST_POLICY);
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if public_url.starts_with("https://") {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_us(pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        is_from_us(&headers, "https://keys.example.com")
    }

    #[test]
    fn only_the_console_itself_may_post() {
        assert!(from_us(&[("sec-fetch-site", "same-origin")]));
        assert!(from_us(&[("origin", "https://keys.example.com")]));
        assert!(from_us(&[("origin", "https://keys.example.com:443")]));
        for refused in [
            &[][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://keys.example.com")],
            &[("origin", "https://evil.example.com")],
            &[("origin", "http://keys.example.com")],
            &[("origin", "null")],
        ] {
            assert!(!from_us(refused), "{refused:?}");
        }
    }
}
