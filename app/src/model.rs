//! What server functions take and return, besides the types of `domain`.

use domain::id::KeyId;
use serde::{Deserialize, Serialize};

/// A new secret on its way to the person, this once. Not `Debug`, so that it cannot end up in a log.
#[derive(Clone, Serialize, Deserialize)]
pub struct SecretOnce {
    pub id: KeyId,
    pub secret: String,
}

/// Which keys are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeysOf {
    Tenant,
    /// The personal keys of the person themselves.
    Oneself,
    /// The personal keys of all people of the tenant, which an admin can list and revoke.
    People,
}

impl KeysOf {
    /// The page that lists these keys.
    #[must_use]
    pub const fn list_path(self) -> &'static str {
        match self {
            Self::Tenant => "/tenant-api-keys",
            Self::Oneself => "/user-profile",
            Self::People => "/tenant-api-keys/personal",
        }
    }

    /// The page of one of these keys.
    #[must_use]
    pub fn path_of(self, key: &KeyId) -> String {
        match self {
            Self::Oneself => format!("/user-profile/api-keys/{key}"),
            Self::Tenant | Self::People => format!("{}/{key}", self.list_path()),
        }
    }
}
