//! Keys, as far as something that concerns them names them.

use domain::id::KeyId;
use serde::Serialize;

/// Some of many keys, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct KeyNames {
    pub first: Vec<KeyName>,
    /// How many there are in all.
    pub count: u64,
}

/// As much of a key as leads to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyName {
    pub id: KeyId,
    pub name: String,
}
