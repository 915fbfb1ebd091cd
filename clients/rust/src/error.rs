//! Why there is no answer.

use std::time::Duration;

/// Why a key could not be verified. Deny the request: nothing is known about the key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(
        "the URL of Latchkey is not a web address: write it like https://keys.example.com, including http:// or \
         https://"
    )]
    Address,
    #[error(
        "the verifier key is empty or contains a character that no key contains, such as a line break: copy it again \
         from where it is stored"
    )]
    Secret,
    #[error("the HTTP client could not be created: check that the system's certificates are readable")]
    Setup(#[source] reqwest::Error),
    #[error("Latchkey at {url} is unreachable: check that it is running and that this machine can connect to it")]
    Unreachable {
        url: String,
        #[source]
        source: reqwest::Error,
    },
    #[error(
        "Latchkey at {url} did not answer within {timeout:?}: check its load and the network, or raise the timeout"
    )]
    TimedOut { url: String, timeout: Duration },
    #[error("Latchkey is unavailable: retry in {retry_after:?} (request {request_id})")]
    Unavailable { retry_after: Duration, request_id: String },
    /// The verifier's own key or request is at fault, not the key being verified.
    #[error("Latchkey rejected the request: {detail} ({status} {code}, request {request_id})")]
    NotAnswered {
        status: u16,
        code: String,
        detail: String,
        request_id: String,
        /// The parameters that are invalid, such as a `property` that is not an id.
        wrong: Vec<String>,
    },
    #[error("the response from {url} is not Latchkey's ({what}): check the URL")]
    NotLatchkey { url: String, what: String },
}

#[cfg(feature = "tower")]
impl Error {
    /// Returns true if the request failed because of something that the client sent.
    pub(crate) fn is_client_error(&self) -> bool {
        // A key can be too long for a request. Everything else that a client sends gets a verdict.
        matches!(self, Self::NotAnswered { status: 413, .. })
    }
}
