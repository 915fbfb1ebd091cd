//! The response to a rejected request.

use std::sync::Arc;

use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Serialize;

use crate::{Refusal, Verdict};

pub enum Rejection {
    NoCredential,
    Password,
    Conflict,
    /// Latchkey cannot read what the client sent.
    Invalid,
    Refused {
        refusal: Box<Refusal>,
        permission: Option<Arc<str>>,
    },
    Unavailable,
}

/// RFC 9457, with the members that Latchkey's own problems have.
#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

impl Rejection {
    pub fn response<R: From<String>>(&self) -> Response<R> {
        let status = self.status();
        let mut response = Response::new(R::from(self.problem(status)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(self.challenge().map(|challenge| (WWW_AUTHENTICATE, challenge)));
        headers.extend(self.retry_after().map(|seconds| (RETRY_AFTER, HeaderValue::from(seconds))));
        response
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NoCredential | Self::Password => StatusCode::UNAUTHORIZED,
            Self::Conflict | Self::Invalid => StatusCode::BAD_REQUEST,
            Self::Refused { refusal, .. } => StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::FORBIDDEN),
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn problem(&self, status: StatusCode) -> String {
        let problem = Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Refused"),
            status: status.as_u16(),
            detail: self.detail(),
            code: self.code(),
            request_id: self.request_id(),
        };
        let Ok(json) = serde_json::to_string(&problem) else { unreachable!("texts and a number are JSON") };
        json
    }

    fn detail(&self) -> &str {
        match self {
            Self::NoCredential => {
                "The request carries no API key. Send one as `Authorization: Bearer <key>` or `X-API-Key: <key>`."
            }
            Self::Password => {
                "Passwords are not accepted here. Send an API key as `Authorization: Bearer <key>` or `X-API-Key: <key>`."
            }
            Self::Conflict => "The request carries two different credentials, or one header twice. Send exactly one.",
            Self::Invalid => {
                "The API key, the `Origin` header or the property in the request is malformed. Send each exactly as \
                 it was given to you."
            }
            Self::Refused { refusal, .. } => &refusal.message,
            Self::Unavailable => "The API key cannot be verified at the moment. Try again shortly.",
        }
    }

    /// The codes of Latchkey's own API, so that a client needs to know one list.
    fn code(&self) -> &str {
        match self {
            Self::NoCredential | Self::Password => "missing_credential",
            Self::Conflict => "conflicting_credentials",
            Self::Invalid => "invalid",
            Self::Refused { refusal, .. } => problem_code(&refusal.verdict),
            Self::Unavailable => "unavailable",
        }
    }

    fn request_id(&self) -> Option<&str> {
        match self {
            Self::Refused { refusal, .. } if !refusal.request_id.is_empty() => Some(&refusal.request_id),
            _ => None,
        }
    }

    /// RFC 6750: the scheme that is expected. A request without a credential gets no error code.
    fn challenge(&self) -> Option<HeaderValue> {
        let error = match self {
            Self::NoCredential | Self::Password => String::new(),
            Self::Conflict => ", error=\"invalid_request\"".to_owned(),
            Self::Refused { refusal, .. } if refusal.status == 401 => ", error=\"invalid_token\"".to_owned(),
            Self::Refused { refusal, permission: Some(permission) }
                if refusal.verdict == Verdict::InsufficientPermissions =>
            {
                format!(", error=\"insufficient_scope\", scope=\"{permission}\"")
            }
            Self::Invalid | Self::Refused { .. } | Self::Unavailable => return None,
        };
        HeaderValue::try_from(format!("Bearer realm=\"latchkey\"{error}")).ok()
    }

    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Refused { refusal, .. } => refusal.retry_after.map(|wait| wait.as_secs().max(1)),
            Self::Unavailable => Some(1),
            _ => None,
        }
    }
}

fn problem_code(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Malformed | Verdict::NotFound => "invalid_key",
        Verdict::InvalidRequest => "invalid",
        Verdict::Revoked => "key_revoked",
        Verdict::SecretReplaced => "secret_replaced",
        Verdict::Expired => "key_expired",
        Verdict::Disabled => "key_disabled",
        Verdict::IpNotAllowed => "ip_not_allowed",
        Verdict::OriginNotAllowed => "origin_not_allowed",
        Verdict::InsufficientPermissions => "insufficient_scope",
        Verdict::PropertyNotAllowed => "property_not_allowed",
        Verdict::RateLimited => "rate_limited",
        Verdict::Valid | Verdict::Other(_) => "refused",
    }
}
