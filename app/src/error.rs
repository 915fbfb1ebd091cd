//! What an island is told when the server refuses or cannot be reached.

use domain::{field::FieldErrors, key_draft::KeyDraft};
use leptos::{
    prelude::FromServerFnError,
    server_fn::{codec::JsonEncoding, error::ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};

/// The one error of the console's server functions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConsoleError {
    /// The session has ended.
    SignedOut,
    /// The person may not do this, and why.
    NotAllowed(String),
    /// The password is right, and a code has to come with it.
    CodeNeeded,
    /// The person has to confirm their identity first.
    #[serde(rename = "step_up_required")]
    StepUpRequired {
        needs_code: bool,
    },
    /// There is no such thing, a `key` say, or it is another tenant's.
    NotFound(String),
    Invalid(FieldErrors),
    /// Somebody else changed the key first.
    Changed(Box<ChangedKey>),
    /// Refused, with the reason for the person.
    Refused(String),
    /// What was sent is not what the function takes.
    Malformed,
    /// The database cannot be reached.
    Unavailable,
    /// The database failed in a way that the person has to know of, and what to do about it.
    Failed(String),
    /// The server cannot be reached.
    Offline,
}

/// A key as somebody saw it, or as somebody else left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenKey {
    pub version: i32,
    pub draft: KeyDraft,
    /// The expiration in words, which an edit does not change.
    pub expires: String,
    /// What may be shown of the secret.
    pub hint: String,
}

/// What somebody else made of a key, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedKey {
    pub by: String,
    pub when: String,
    pub now: SeenKey,
}

impl std::fmt::Display for ConsoleError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::SignedOut => "Your session has ended. Sign in again in another tab, then come back and try again.",
            Self::NotAllowed(reason) => reason,
            Self::CodeNeeded => "Enter the code that your authenticator app shows, or a recovery code.",
            Self::StepUpRequired { .. } => "Confirm that it is you, then try again.",
            Self::NotFound(thing) => {
                return write!(f, "This {thing} no longer exists. It may have been deleted.");
            }
            Self::Invalid(errors) => return write!(f, "{errors}"),
            Self::Changed(changed) => {
                return write!(
                    f,
                    "{} changed this key a moment ago. Reload the page and look at it again.",
                    changed.by
                );
            }
            Self::Refused(reason) | Self::Failed(reason) => reason,
            Self::Malformed => "The server did not understand the request. Reload the page and try again.",
            Self::Unavailable => "The database cannot be reached. Nothing was changed; try again in a moment.",
            Self::Offline => "The server cannot be reached. Check your connection and try again.",
        })
    }
}

impl FromServerFnError for ConsoleError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) => Self::Offline,
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                unreadable()
            }
            _ => Self::Unavailable,
        }
    }
}

/// What a browser sent makes no sense to the server.
#[cfg(feature = "ssr")]
fn unreadable() -> ConsoleError {
    crate::response::answer_with(axum::http::StatusCode::BAD_REQUEST);
    ConsoleError::Malformed
}

/// What came back was not from Latchkey: something between it and the browser answered.
#[cfg(not(feature = "ssr"))]
fn unreadable() -> ConsoleError {
    ConsoleError::Offline
}
