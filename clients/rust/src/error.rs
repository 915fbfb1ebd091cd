//! Why there is no answer.

use std::time::Duration;

/// Why a key could not be verified. Deny the request: nothing is known about the key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(
        "the address of Latchkey is no web address: write it like https://keys.example.com, with http:// or https:// in front"
    )]
    Address,
    #[error(
        "the secret of the asking key is empty, or holds a character that no key has, such as a line break: copy it once more from where it is stored"
    )]
    Secret,
    #[error("the HTTP client cannot be set up: see whether the system's certificates can be read")]
    Setup(#[source] reqwest::Error),
    #[error("Latchkey at {url} cannot be reached: see whether it runs, and whether this machine may connect to it")]
    Unreachable {
        url: String,
        #[source]
        source: reqwest::Error,
    },
    #[error(
        "Latchkey at {url} did not answer within {timeout:?}: see how busy it is, and the network between, or allow it more time"
    )]
    TimedOut { url: String, timeout: Duration },
    #[error("Latchkey cannot answer at the moment: ask again in {retry_after:?} (request {request_id})")]
    Unavailable { retry_after: Duration, request_id: String },
    /// The verifier's own key or request is at fault, not the key being verified.
    #[error("Latchkey does not take the question: {detail} ({status} {code}, request {request_id})")]
    NotAnswered {
        status: u16,
        code: String,
        detail: String,
        request_id: String,
        /// The parameters that are invalid, such as a `property` that is not an id.
        wrong: Vec<String>,
    },
    #[error("what answers at {url} does not answer as Latchkey does ({what}): see whether the address is right")]
    NotLatchkey { url: String, what: String },
}

#[cfg(feature = "tower")]
impl Error {
    /// What a client sent to the service that asks, and only that, kept the question from being answered.
    pub(crate) fn is_client_error(&self) -> bool {
        const FROM_CLIENTS: [&str; 3] = ["key", "property", "origin"];
        match self {
            // Nothing else in a question is long.
            Self::NotAnswered { status: 413, .. } => true,
            Self::NotAnswered { wrong, .. } => {
                !wrong.is_empty() && wrong.iter().all(|part| FROM_CLIENTS.contains(&part.as_str()))
            }
            _ => false,
        }
    }
}
