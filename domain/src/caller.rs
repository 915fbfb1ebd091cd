//! Who a good credential stands for: all that the protected API ever sees of it.

use std::fmt;

use crate::{
    id::{KeyId, PersonId, TenantId},
    permission::Grants,
    property::Reach,
};

/// Somebody whose credential was found good, and how far it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub tenant: TenantId,
    pub identity: Identity,
    pub grants: Grants,
    pub reach: Reach,
}

/// Whose credential it was.
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
