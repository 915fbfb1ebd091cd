//! Pages of other origins. Any of them may ask; whether its call is let through is decided by the key.

use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, OPTIONS");

/// What a page's script may send besides what every script may.
const REQUEST_HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, x-api-key, user-api-key, content-type, idempotency-key, x-request-id");

/// What it may read of an answer.
const ANSWER_HEADERS: HeaderValue = HeaderValue::from_static(
    "ratelimit, ratelimit-policy, retry-after, x-request-id, www-authenticate, location, idempotent-replayed, deprecation, sunset, link",
);

/// For how long a browser need not ask again.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// Answers preflights, and explains everything else.
pub async fn share(request: Request, next: Next) -> Response {
    if is_preflight(&request) {
        let origin = request.headers().get(ORIGIN).cloned();
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        allow(headers, origin);
        return response;
    }
    explain(request, next).await
}

/// Lets scripts read every answer, refusals included. No cookie is ever involved.
pub async fn explain(request: Request, next: Next) -> Response {
    let origin = request.headers().get(ORIGIN).cloned();
    let mut response = next.run(request).await;
    response.headers_mut().insert(ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_HEADERS);
    allow(response.headers_mut(), origin);
    response
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
