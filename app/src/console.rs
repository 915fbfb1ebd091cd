//! What every page and server function works with.

use std::sync::Arc;

use keyring::Keyring;
use serde::Deserialize;

use crate::reference::Reference;

/// The engine and what the console has to know of the installation.
#[derive(Clone)]
pub struct Console {
    pub keyring: Keyring,
    pub site: Arc<Site>,
    /// Without a slash at the end.
    pub public_url: Arc<str>,
    /// Whom to ask where the console says to contact support.
    pub support_contact: Option<Arc<str>>,
    /// What there is to say about the API that the keys open.
    pub reference: Arc<Reference>,
}

impl Console {
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

/// The names of the files that the build made, each with the hash of its content.
#[derive(Debug, Clone, Deserialize)]
pub struct Site {
    pub output_name: String,
    pub stylesheet: String,
}
