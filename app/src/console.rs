//! What every page and server function works with.

use std::{net::IpAddr, sync::Arc};

use chrono::NaiveDate;
use keyring::Keyring;
use serde::Deserialize;

/// The engine and what the console has to know of the installation.
#[derive(Clone)]
pub struct Console {
    pub keyring: Keyring,
    pub site: Arc<Site>,
    /// Without a slash at the end.
    pub public_url: Arc<str>,
    /// Whom to ask where the console says to contact support.
    pub support_contact: Option<Arc<str>>,
    /// The last day on which Basic and JWT are accepted.
    pub legacy_sunset: NaiveDate,
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

/// Where a request came from, as the server found it out; an extension of every request.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);
