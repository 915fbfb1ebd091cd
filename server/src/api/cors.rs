//! CORS for pages of other origins. Any page may send a preflight; the key decides about the call itself.

use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
        },
    },
    response::{IntoResponse, Response},
};

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, OPTIONS");

/// The headers that a page's script may send, besides those that are always allowed.
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, x-api-key, user-api-key, content-type, idempotency-key, x-request-id, x-requested-with, traceparent, tracestate",
);

/// The headers of a response that a page's script may read.
const ANSWER_HEADERS: HeaderValue = HeaderValue::from_static(
    "ratelimit, ratelimit-policy, retry-after, x-request-id, www-authenticate, location, idempotent-replayed, deprecation, sunset, link",
);

/// The time for which a browser may cache a preflight.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// Answers a preflight. Returns None for any other request.
pub fn answer_preflight(request: &Request) -> Option<Response> {
    if !is_preflight(request) {
        return None;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    allow(headers, origin(request));
    Some(response)
}

/// Returns the `Origin` of a request that a page made.
pub fn origin(request: &Request) -> Option<HeaderValue> {
    request.headers().get(ORIGIN).cloned()
}

/// Lets scripts read every response, refusals included. Cookies are never involved.
pub fn explain(answer: &mut HeaderMap, origin: Option<HeaderValue>) {
    if origin.is_some() {
        answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_HEADERS);
    }
    allow(answer, origin);
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

fn allow(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
}
