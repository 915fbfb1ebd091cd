//! The holder of a valid credential, which is all that the protected API ever sees of it.

use std::{fmt, sync::Arc};

use crate::{
    id::{KeyId, PersonId, PropertyId, TenantId},
    permission::Grants,
};

/// A caller whose credential is valid, and its access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub tenant: TenantId,
    pub identity: Identity,
    pub grants: Grants,
    /// The properties within reach, in the order of their ids. Archived ones are never within reach.
    pub properties: Arc<[PropertyId]>,
}

impl Caller {
    #[must_use]
    pub fn reaches(&self, property: &PropertyId) -> bool {
        self.properties.binary_search(property).is_ok()
    }
}

/// The owner of the credential.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Identity {
    Key(KeyId),
    Person(PersonId),
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => id.fmt(f),
            Self::Person(id) => id.fmt(f),
        }
    }
}
