//! Errors of all HTTP surfaces as `application/problem+json` (RFC 9457).
//!
//! Handlers return a [`Problem`], which knows only what is wrong. The outermost middleware calls [`finish`] to write
//! the body, because only there the installation's URL and the request id are known.

use std::any::Any;

use axum::{
    body::Body,
    http::{
        HeaderName, HeaderValue, StatusCode, Version,
        header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use domain::field::FieldError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::request_id::RequestId;

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Every code there is, each on one line with its status and title, and below what it means and what to do.
macro_rules! codes {
    ($($variant:ident $name:literal $status:ident $title:literal $meaning:literal)*) => {
        /// A stable error code that programs can rely on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($variant,)*
        }

        impl Code {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// For the reference: what it means and what to do about it.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

codes! {
    MissingCredential "missing_credential" UNAUTHORIZED "Credential missing"
        "The request carries no API key. Send one as `Authorization: Bearer <key>` or `X-API-Key: <key>`."
    ConflictingCredentials "conflicting_credentials" BAD_REQUEST "Conflicting credentials"
        "The request carries two different credentials, or one header twice. Send exactly one."
    IdentityHeader "identity_header" BAD_REQUEST "Identity header not allowed"
        "The request carries a header whose name begins with `X-Latchkey-`, which only Latchkey may set. Leave it out."
    InvalidKey "invalid_key" UNAUTHORIZED "Invalid key"
        "The API key is mistyped, cut off or unknown. Compare it with the one that was shown when it was generated."
    KeyRevoked "key_revoked" UNAUTHORIZED "Key revoked"
        "The API key was revoked, which cannot be undone. Generate another key."
    SecretReplaced "secret_replaced" UNAUTHORIZED "Secret replaced"
        "The API key was rotated, and this old secret no longer works. Use the key's new secret."
    KeyExpired "key_expired" UNAUTHORIZED "Key expired"
        "The API key has reached its expiration. Generate a new one, or have the expiration extended."
    KeyDisabled "key_disabled" UNAUTHORIZED "Key disabled"
        "The tenant's subscription does not currently include API keys, or the key's owner is deactivated."
    IpNotAllowed "ip_not_allowed" FORBIDDEN "Address not allowed"
        "The key cannot be used from this IP address. Have the address added to the key's allowed addresses."
    OriginNotAllowed "origin_not_allowed" FORBIDDEN "Origin not allowed"
        "The key cannot be used from this origin. Have the origin added to the key's allowed origins."
    InsufficientScope "insufficient_scope" FORBIDDEN "Insufficient scope"
        "The key's group and scopes do not grant what the request needs. Use another key, or have its access widened."
    PropertyNotAllowed "property_not_allowed" FORBIDDEN "Property not allowed"
        "The key cannot access this property. Use another key, or have the property added to it."
    IdentityTooLarge "identity_too_large" FORBIDDEN "Identity too large"
        "The identity headers of this key do not fit into 8 kB. Have its access narrowed."
    RateLimited "rate_limited" TOO_MANY_REQUESTS "Rate limit reached"
        "The key has reached its rate limit. Wait as long as `Retry-After` says."
    TooManyAttempts "too_many_attempts" TOO_MANY_REQUESTS "Too many attempts"
        "Too many wrong credentials were sent from this address. Wait as long as `Retry-After` says."
    InvalidCredentials "invalid_credentials" UNAUTHORIZED "Invalid credentials"
        "The e-mail address or the password is wrong."
    InvalidToken "invalid_token" UNAUTHORIZED "Invalid token"
        "The token is malformed, expired or from another installation. Request a new one, or use an API key instead."
    TwoFactorRequired "two_factor_required" UNAUTHORIZED "Second factor required"
        "This person signs in with a second factor, which passwords and tokens cannot carry. Use an API key."
    LegacyAuthRetired "legacy_auth_retired" UNAUTHORIZED "Sign-in method retired"
        "Passwords and tokens are no longer accepted here. Use an API key."
    NotFound "not_found" NOT_FOUND "Not found"
        "Nothing was found at this address. Check the URL and the ids in it."
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED "Method not allowed"
        "This method is not allowed here. `Allow` lists those that are."
    Invalid "invalid" UNPROCESSABLE_ENTITY "Invalid request"
        "The request is well-formed but invalid. `errors` names every wrong field and how to correct it."
    MalformedBody "malformed_body" BAD_REQUEST "Malformed body"
        "The body cannot be parsed. Send valid JSON in UTF-8."
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "Unsupported media type"
        "This media type is not supported. Send `Content-Type: application/json`."
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE "Body too large"
        "The body is longer than 64 KiB. Send a shorter one."
    SoldOut "sold_out" CONFLICT "Sold out"
        "No units are left for these dates. Check the availability for others."
    IdempotencyKeyReused "idempotency_key_reused" UNPROCESSABLE_ENTITY "Idempotency key reused"
        "The `Idempotency-Key` was sent before with another body. Use a new one for every new request."
    RequestInProgress "request_in_progress" CONFLICT "Request in progress"
        "A request with the same `Idempotency-Key` is still running. Try again in a moment."
    CrossSite "cross_site" FORBIDDEN "Cross-site request"
        "The request did not come from the console itself. Open the console and try again there."
    Unavailable "unavailable" SERVICE_UNAVAILABLE "Unavailable"
        "The server cannot answer at the moment. Nothing was changed; try again shortly."
    OutcomeUnknown "outcome_unknown" SERVICE_UNAVAILABLE "Outcome unknown"
        "The database failed while it saved the change. Check whether the change took effect before you send it again."
    Internal "internal" INTERNAL_SERVER_ERROR "Internal error"
        "An internal error occurred. Report the `request_id` to the operator of this server."
}

/// An error of one field of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WrongField {
    pub field: String,
    /// For programs: stable, lower case.
    pub code: String,
    /// For people: what is wrong and what to write instead.
    pub detail: String,
}

impl WrongField {
    pub fn new(field: &str, code: &str, detail: impl Into<String>) -> Self {
        Self { field: field.to_owned(), code: code.to_owned(), detail: detail.into() }
    }
}

impl From<FieldError> for WrongField {
    fn from(error: FieldError) -> Self {
        Self { field: error.field.as_str().to_owned(), code: error.code, detail: error.detail }
    }
}

/// A request that was not carried out, and why.
#[derive(Debug, Clone)]
pub struct Problem {
    code: Code,
    detail: String,
    errors: Vec<WrongField>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// The detail is one sentence for a person, which says what to do. It never repeats a secret.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), headers: Vec::new() }
    }

    /// All field errors.
    #[must_use]
    pub fn invalid(errors: impl IntoIterator<Item = impl Into<WrongField>>) -> Self {
        let errors: Vec<WrongField> = errors.into_iter().map(Into::into).collect();
        let details: Vec<&str> = errors.iter().map(|error| error.detail.as_str()).collect();
        let detail = details.join(" ");
        Self { errors, ..Self::new(Code::Invalid, detail) }
    }

    /// Says something before the detail.
    #[must_use]
    pub fn with_preamble(self, words: &str) -> Self {
        Self { detail: format!("{words} {}", self.detail), ..self }
    }

    /// A header that belongs to the answer, beside those that are already there.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Reports the field errors of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::invalid(self.errors.into_iter().chain(other.errors))
    }

    #[must_use]
    pub fn errors(&self) -> &[WrongField] {
        &self.errors
    }

    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    fn body(&self, public_url: &str, request_id: &str) -> Vec<u8> {
        let body = ProblemBody {
            kind: format!("{public_url}/problems/{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: &self.detail,
            code: self.code.as_str(),
            request_id,
            errors: &self.errors,
        };
        let Ok(json) = serde_json::to_vec(&body) else { unreachable!("texts and a number are JSON") };
        json
    }
}

impl From<Code> for Problem {
    /// Says no more than what the reference says of every such problem.
    fn from(code: Code) -> Self {
        Self::new(code, code.meaning())
    }
}

/// An error response (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// The URL of the page that explains the problem.
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    /// An explanation for people, with what to do next.
    detail: &'a str,
    /// The stable code for programs.
    code: &'a str,
    /// The id of the request, for support.
    request_id: &'a str,
    /// Every wrong field.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [WrongField],
}

impl IntoResponse for Problem {
    /// All but the body, which [`finish`] writes.
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.headers_mut().extend(self.headers.clone());
        response.headers_mut().insert(CONTENT_TYPE, PROBLEM_JSON);
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the body of a problem. Any other answer is left as it is.
pub fn finish(
    response: Response,
    is_head: bool,
    version: Version,
    public_url: &str,
    request_id: &RequestId,
) -> Response {
    let mut response = named(response);
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE && version < Version::HTTP_2 {
        // The rest of the body is not read, so nothing else can come on this connection.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let body = problem.body(public_url, request_id.as_str());
        response.headers_mut().insert(CONTENT_LENGTH, body.len().into());
        *response.body_mut() = if is_head { Body::empty() } else { Body::from(body) };
    }
    response
}

/// Turns a refusal from the framework into a problem.
fn named(response: Response) -> Response {
    let code = match response.status() {
        StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => Code::BodyTooLarge,
        _ => return response,
    };
    if response.extensions().get::<Problem>().is_some() {
        return response;
    }
    Problem::from(code).into_response()
}

/// A panic ends one request and nothing else.
#[must_use]
pub fn from_panic(panic: Box<dyn Any + Send>) -> Response {
    let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(said, "a request panicked");
    Problem::from(Code::Internal).into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, header::RETRY_AFTER};
    use domain::field::Field;
    use http_body_util::BodyExt;
    use serde_json::{Value, json};

    use super::*;

    async fn answer(is_head: bool, problem: Problem) -> (Response<()>, Vec<u8>) {
        let name = (HeaderName::from_static("x-request-id"), HeaderValue::from_static("abc"));
        let id = RequestId::from_headers(&HeaderMap::from_iter([name]));
        let url = "https://keys.example.com";
        let (parts, body) = finish(problem.into_response(), is_head, Version::HTTP_11, url, &id).into_parts();
        (Response::from_parts(parts, ()), body.collect().await.unwrap().to_bytes().to_vec())
    }

    #[tokio::test]
    async fn problem_has_all_contract_fields() {
        let problem = Problem::new(Code::RateLimited, "Wait 12 seconds.")
            .with_header(RETRY_AFTER, HeaderValue::from_static("12"));
        let (response, body) = answer(false, problem.clone()).await;
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[RETRY_AFTER], "12");
        assert_eq!(response.headers()[CONTENT_LENGTH], body.len().to_string());
        let expected = json!({
            "type": "https://keys.example.com/problems/rate_limited",
            "title": "Rate limit reached",
            "status": 429,
            "detail": "Wait 12 seconds.",
            "code": "rate_limited",
            "request_id": "abc",
        });
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected);
        let (head, nothing) = answer(true, problem).await;
        assert_eq!((head.headers(), nothing.len()), (response.headers(), 0));
    }

    #[tokio::test]
    async fn all_invalid_fields_are_reported_together() {
        let errors = [Field::Name, Field::Grace].map(|field| FieldError::new(field, "missing", "Fill it in."));
        let (response, body) = answer(false, Problem::invalid(errors)).await;
        assert_eq!(response.status(), 422);
        let body = serde_json::from_slice::<Value>(&body).unwrap();
        assert_eq!(body["detail"], "Fill it in. Fill it in.");
        assert_eq!(body["errors"][1], json!({ "field": "grace", "code": "missing", "detail": "Fill it in." }));
    }

    #[test]
    fn codes_are_unique_words_with_error_statuses() {
        for (index, code) in Code::ALL.iter().enumerate() {
            let name = code.as_str();
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            assert!(code.status().is_client_error() || code.status().is_server_error(), "{name}");
            assert!(!code.title().ends_with('.') && code.meaning().ends_with('.'), "{name}");
            assert!(Code::ALL[..index].iter().all(|other| other.as_str() != name), "{name} stands there twice");
        }
    }
}
