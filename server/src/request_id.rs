//! The name of a request: on its answer, in its problem, and on each line that is logged on its behalf.

use arrayvec::ArrayString;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use domain::secret::redacted;
use keyring::MAX_REQUEST_ID_BYTES;
use tracing::Span;
use ulid::{ULID_LEN, Ulid};

pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(ArrayString<MAX_REQUEST_ID_BYTES>);

impl RequestId {
    /// A name of our own.
    #[must_use]
    pub fn generate() -> Self {
        let mut name = ArrayString::new();
        name.push_str("req_");
        name.push_str(Ulid::generate().array_to_str(&mut [0; ULID_LEN]));
        Self(name)
    }

    /// The client's name for it when it can be written down as it is, else one of our own.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let mut names = headers.get_all(X_REQUEST_ID).iter();
        match (names.next().and_then(Self::of_client), names.next()) {
            (Some(name), None) => name,
            _ => Self::generate(),
        }
    }

    fn of_client(name: &HeaderValue) -> Option<Self> {
        let name = name.to_str().ok().filter(|name| is_sane(name))?;
        ArrayString::from(name).ok().map(Self)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as it is stored with a call.
    #[must_use]
    pub fn text(&self) -> ArrayString<MAX_REQUEST_ID_BYTES> {
        self.0
    }

    /// An error-level span, so that every log line has it.
    #[must_use]
    pub fn span(&self) -> Span {
        tracing::error_span!("request", request_id = self.as_str())
    }

    #[must_use]
    pub fn header(&self) -> HeaderValue {
        let Ok(value) = HeaderValue::from_str(&self.0) else { unreachable!("a request id is plain") };
        value
    }
}

/// Returns whether the id is short, plain ASCII and safe to log.
fn is_sane(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-');
    (1..=MAX_REQUEST_ID_BYTES).contains(&name.len()) && name.bytes().all(is_plain) && redacted(name) == name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> String {
        let headers = names.iter().map(|name| (X_REQUEST_ID, HeaderValue::from_str(name).unwrap()));
        RequestId::from_headers(&headers.fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(name, value);
            headers
        }))
        .as_str()
        .to_owned()
    }

    #[test]
    fn valid_request_id_is_kept() {
        for name in ["a", "7f9c-4e2.A_b:1", "req_01J0000000000000000000000", &"x".repeat(64)] {
            assert_eq!(named(&[name]), name);
        }
    }

    #[test]
    fn invalid_request_id_is_replaced() {
        for names in [
            &[][..],
            &[""],
            &[&"x".repeat(65)],
            &["with space"],
            &["{\"json\":1}"],
            &["<script>"],
            &["a%0ab"],
            &["lk_tk_0123456789ABCDEFGHIJ"],
            &["x:acme_pk_0123456789"],
            &["one", "two"],
            &["same", "same"],
        ] {
            let name = named(names);
            assert_eq!(name.len(), "req_".len() + 26, "{names:?}");
            assert!(name.starts_with("req_") && is_sane(&name), "{names:?}");
        }
        assert_ne!(named(&[]), named(&[]));
    }
}
