//! Properties: the hotels or sites that access can be narrowed to.

use serde::{Deserialize, Serialize};

use crate::id::PropertyId;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Property {
    pub id: PropertyId,
    pub name: String,
}

/// The properties of its tenant that a key can access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PropertyScope {
    All,
    Only(Vec<PropertyId>),
}

impl PropertyScope {
    #[must_use]
    pub fn contains(&self, property: &PropertyId) -> bool {
        match self {
            Self::All => true,
            Self::Only(ids) => ids.contains(property),
        }
    }
}
