//! Why there is no answer.

use std::time::Duration;

/// Nothing is known about the key that was asked about. Whoever gets one of these lets nobody in.
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
    /// About the key that asks, or how it asks, and not the one that is asked about.
    #[error("Latchkey does not take the question: {detail} ({status} {code}, request {request_id})")]
    NotAnswered {
        status: u16,
        code: String,
        detail: String,
        request_id: String,
        /// The parts of the question that cannot be judged as they are, such as `property` for what is no id.
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
