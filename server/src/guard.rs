//! The middleware in front of every page and server function of the console.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, Uri,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::origin::Origin;

use crate::{
    address,
    log_throttle::LogThrottle,
    problem::{Code, Problem},
};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// The policy of responses that set none of their own, such as files and errors.
const DEFAULT_CONTENT_SECURITY_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'");

/// The middleware in front of the console.
pub struct ConsoleGuard {
    public_url: Arc<str>,
    insecure_cookies: LogThrottle,
}

impl ConsoleGuard {
    pub fn new(public_url: Arc<str>) -> Arc<Self> {
        Arc::new(Self { public_url, insecure_cookies: LogThrottle::default() })
    }

    /// Warns when a browser speaks https to a trusted proxy and the public URL does not say so.
    fn check_cookies(&self, request: &Request) {
        let is_https = || {
            let scheme = request.headers().get(X_FORWARDED_PROTO).map(HeaderValue::as_bytes).unwrap_or_default();
            address::from_extensions(request.extensions()).is_forwarded
                && scheme.split(|byte| *byte == b',').next().is_some_and(|first| first.trim_ascii() == b"https")
        };
        if !self.public_url.starts_with("https://") && is_https() {
            self.insecure_cookies.log(|| {
                let public_url = &*self.public_url;
                tracing::warn!(
                    public_url,
                    "session cookies are not Secure: set LATCHKEY_PUBLIC_URL to the https address"
                );
            });
        }
    }
}

/// Refuses requests that another site made a browser send: a request that could change something must come from the
/// console's own pages.
pub async fn guard_console(State(guard): State<Arc<ConsoleGuard>>, request: Request, next: Next) -> Response {
    guard.check_cookies(&request);
    let public_url = &guard.public_url;
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if is_safe || is_from_console(request.uri(), request.headers(), public_url) {
        return next.run(request).await;
    }
    let detail = format!(
        "The request did not come from the console at {public_url}. Open the console there and try again. If that is not \
         its address, the operator has to correct LATCHKEY_PUBLIC_URL."
    );
    Problem::new(Code::CrossSite, detail).into_response()
}

/// Returns whether a browser sent the request from one of the console's own pages. Browsers say so in `Sec-Fetch-Site`,
/// old ones in `Origin`; every header that is sent must agree, and so must `Host`.
fn is_from_console(uri: &Uri, headers: &HeaderMap, public_url: &str) -> bool {
    let Ok(console) = Origin::parse(public_url) else { return false };
    let sites: Vec<_> = headers.get_all(SEC_FETCH_SITE).iter().collect();
    // Forms are posted with the origin `null`, because of our own Referrer-Policy. It says nothing either way.
    let origins: Vec<_> = headers.get_all(ORIGIN).iter().filter(|origin| *origin != "null").collect();
    let is_console =
        |origin: &&HeaderValue| origin.to_str().is_ok_and(|text| Origin::parse(text).as_ref() == Ok(&console));
    !(sites.is_empty() && origins.is_empty())
        && sites.iter().all(|site| *site == "same-origin")
        && origins.iter().all(is_console)
        && requested_origin(uri, headers, &console).is_some_and(|requested| requested == console)
}

/// The origin that was asked for: the request's host, with the scheme of the console.
fn requested_origin(uri: &Uri, headers: &HeaderMap, console: &Origin) -> Option<Origin> {
    let host = match uri.authority() {
        Some(authority) => authority.as_str(),
        None => headers.get(HOST)?.to_str().ok()?,
    };
    let (scheme, _) = console.as_str().split_once("://")?;
    Origin::parse(&format!("{scheme}://{host}")).ok()
}

/// Adds the headers that keep browsers strict.
pub fn set_security_headers(headers: &mut HeaderMap, public_url: &str) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(DEFAULT_CONTENT_SECURITY_POLICY);
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if public_url.starts_with("https://") {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: (&str, &str) = ("host", "keys.example.com");

    fn is_from_console(pairs: &[(&'static str, &'static str)]) -> bool {
        let headers =
            pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        super::is_from_console(&Uri::from_static("/"), &HeaderMap::from_iter(headers), "https://keys.example.com")
    }

    #[test]
    fn only_pages_of_the_console_may_post() {
        for accepted in [
            &[("sec-fetch-site", "same-origin")][..],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://keys.example.com")],
            &[("sec-fetch-site", "same-origin"), ("origin", "null")],
            &[("origin", "https://keys.example.com")],
            &[("origin", "https://keys.example.com:443")],
        ] {
            assert!(is_from_console(&[accepted, &[HOST]].concat()), "{accepted:?}");
        }
        for refused in [
            &[][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://keys.example.com")],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example.com")],
            &[("sec-fetch-site", "same-origin"), ("origin", "http://keys.example.com")],
            &[("origin", "https://evil.example.com")],
            &[("origin", "http://keys.example.com")],
            &[("origin", "null")],
        ] {
            assert!(!is_from_console(&[refused, &[HOST]].concat()), "{refused:?}");
        }
    }

    #[test]
    fn request_for_another_host_is_refused() {
        for (host, is_ours) in [
            ("keys.example.com", true),
            ("keys.example.com:443", true),
            ("KEYS.example.com", true),
            ("keys.example.com:8443", false),
            ("evil.example.com", false),
            ("keys.example.com.evil.example", false),
            ("", false),
        ] {
            for agreeing in [("sec-fetch-site", "same-origin"), ("origin", "https://keys.example.com")] {
                assert_eq!(is_from_console(&[agreeing, ("host", host)]), is_ours, "{host:?} {agreeing:?}");
            }
        }
        assert!(!is_from_console(&[("sec-fetch-site", "same-origin")]), "no host at all");
    }

    #[test]
    fn http2_names_the_host_in_its_authority() {
        let headers = HeaderMap::from_iter([(SEC_FETCH_SITE, HeaderValue::from_static("same-origin"))]);
        for (uri, is_ours) in [("https://keys.example.com/", true), ("https://evil.example.com/", false)] {
            let found = super::is_from_console(&Uri::from_static(uri), &headers, "https://keys.example.com");
            assert_eq!(found, is_ours, "{uri}");
        }
    }
}
