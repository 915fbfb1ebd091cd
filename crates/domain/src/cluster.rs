//! The messages about changes that the nodes of an installation exchange.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::id::{Id, KeyId, PersonId, TenantId};

/// The cache entries that a change invalidates on all nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invalidation {
    Key(KeyId),
    /// All personal keys of a person.
    Person(PersonId),
    /// All keys of a tenant.
    Tenant(TenantId),
}

impl Invalidation {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let key = || KeyId::parse(text).ok().map(Self::Key);
        let person = || PersonId::parse(text).ok().map(Self::Person);
        let tenant = || TenantId::parse(text).ok().map(Self::Tenant);
        key().or_else(person).or_else(tenant)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Key(id) => id.as_str(),
            Self::Person(id) => id.as_str(),
            Self::Tenant(id) => id.as_str(),
        }
    }
}

/// The number of a change, one more than that of the previous one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Revision(pub i64);

impl Revision {
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The name of a node, which is new for each start.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeName(pub String);

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An entry of the change log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRecord {
    pub revision: Revision,
    /// Distinguishes changes of the same number after the database has lost its latest changes.
    pub made_at: DateTime<Utc>,
    /// None for a kind that this version does not know: then the whole cache is cleared.
    pub touched: Option<Invalidation>,
}

/// A node that has not applied a revision yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleNode {
    pub name: NodeName,
    /// The number of its last heartbeat.
    pub heartbeat: i64,
}
