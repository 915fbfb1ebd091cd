//! The types that queries take and return, besides those of `domain`.

use std::{fmt, net::IpAddr, str::FromStr};

use chrono::{DateTime, Utc};
use domain::{
    audit::Action,
    digest::Sha256Hex,
    group::Group,
    id::{KeyId, PersonId, SecretId, TenantId},
    pagination::HasCursor,
    property::Property,
    secret::{KeyKind, SecretHint},
    tenant::Tenant,
};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// The actor of an audit event.
#[derive(Debug, Clone)]
pub struct AuditActor {
    pub id: String,
    pub name: String,
    /// None at a shell.
    pub address: Option<IpAddr>,
}

impl AuditActor {
    /// The program itself.
    #[must_use]
    pub fn program() -> Self {
        Self { id: "latchkey".to_owned(), name: "Latchkey".to_owned(), address: None }
    }
}

/// The stored form of a new secret.
#[derive(Debug, Clone, Copy)]
pub struct SecretRow<'a> {
    pub id: &'a SecretId,
    pub sha256: &'a Sha256Hex,
    pub hint: &'a SecretHint,
}

/// Some of a tenant's keys: where every query of keys starts.
#[derive(Debug, Clone)]
pub struct KeyScope {
    pub tenant: TenantId,
    pub keys: KeySet,
}

impl KeyScope {
    pub fn kind(&self) -> KeyKind {
        match self.keys {
            KeySet::Tenant => KeyKind::Tenant,
            KeySet::Person(_) | KeySet::People => KeyKind::Personal,
        }
    }

    pub fn owner(&self) -> Option<&PersonId> {
        match &self.keys {
            KeySet::Person(person) => Some(person),
            KeySet::Tenant | KeySet::People => None,
        }
    }
}

/// A set of a tenant's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySet {
    /// Those that belong to the tenant itself.
    Tenant,
    Person(PersonId),
    /// The personal keys of all its people.
    People,
}

/// Some of many keys, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct KeyNames {
    pub first: Vec<KeyName>,
    /// The total number.
    pub count: u64,
}

/// A reference to a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyName {
    pub id: KeyId,
    pub name: String,
}

/// A group as its tenant keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TenantGroup {
    #[serde(flatten)]
    pub group: Group,
    pub version: i32,
}

/// The number of users of a group: keys, or people, by its type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct GroupUse {
    pub active_keys: u64,
    pub revoked_keys: u64,
    pub people: u64,
}

/// A group among the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupOverview {
    #[serde(flatten)]
    pub group: TenantGroup,
    #[serde(rename = "use")]
    pub used: GroupUse,
}

impl GroupUse {
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::default()
    }

    /// Why the group cannot be deleted, and what to do about it.
    #[must_use]
    pub fn obstacle(self) -> Option<String> {
        let counted = |count: u64, one: &str, many: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{count} {many}")),
        };
        let users = [
            counted(self.active_keys, "active key", "active keys"),
            counted(self.revoked_keys, "revoked key", "revoked keys"),
            counted(self.people, "person", "people"),
        ];
        let users: Vec<String> = users.into_iter().flatten().collect();
        let advice = [
            (self.active_keys > 0).then_some("Give the active keys another group."),
            (self.revoked_keys > 0).then_some("Delete the revoked keys."),
            (self.people > 0).then_some("Take the people out of it."),
        ];
        let advice: Vec<&str> = advice.into_iter().flatten().collect();
        let verb = if self.active_keys + self.revoked_keys + self.people == 1 { "uses" } else { "use" };
        (!self.is_none()).then(|| format!("{} {verb} this group. {}", users.join(" and "), advice.join(" ")))
    }
}

/// A property as its tenant keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TenantProperty {
    #[serde(flatten)]
    pub property: Property,
    /// Since when it is out of the reach of keys.
    pub archived_at: Option<DateTime<Utc>>,
}

/// A tenant with how much there is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TenantOverview {
    #[serde(flatten)]
    pub tenant: Tenant,
    pub active_keys: u64,
    pub people: u64,
}

/// An audited change, and its actor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditEvent {
    /// Its position in the chain, from 1.
    pub sequence: i64,
    pub at: DateTime<Utc>,
    /// The id of who did it.
    pub actor: String,
    pub actor_name: String,
    pub action: Action,
    /// The id of what was changed.
    pub subject: String,
    /// The subject's name at the time.
    pub subject_name: String,
    /// The actor's address. None for a command.
    pub address: Option<String>,
    pub detail: Value,
}

impl HasCursor for AuditEvent {
    type Position = i64;

    fn position(&self) -> i64 {
        self.sequence
    }
}

/// The kind of an audited subject that still exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectKind {
    TenantKey,
    PersonalKey,
    Person,
    Property,
    Group,
}

/// The last row of a chain at some time, written as `sequence:hash`. A chain that was cut off or rewritten since does
/// not contain it any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditHead {
    pub sequence: i64,
    pub hash: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write it as `audit verify --json` prints a head: sequence:hash")]
pub struct ParseAuditHeadError;

impl fmt::Display for AuditHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, self.hash)
    }
}

impl Serialize for AuditHead {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for AuditHead {
    type Err = ParseAuditHeadError;

    fn from_str(text: &str) -> Result<Self, ParseAuditHeadError> {
        let (sequence, hash) = text.split_once(':').ok_or(ParseAuditHeadError)?;
        let sequence = sequence.parse().map_err(|_| ParseAuditHeadError)?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if sequence > 0 && is_hash { Ok(Self { sequence, hash: hash.to_owned() }) } else { Err(ParseAuditHeadError) }
    }
}

/// The first row of a chain that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainError {
    pub sequence: i64,
    /// None if the row does not exist.
    pub at: Option<DateTime<Utc>>,
    pub why: ChainErrorKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChainErrorKind {
    /// A row that was there is not there any more.
    Missing,
    /// The row or one before it does not produce the recorded hash.
    Altered,
    /// The row was never part of the chain.
    Added,
    /// All rows are whole, but the chain is known to have ended in another.
    AnotherEnd,
    /// The row has no key, and no seal follows it.
    Unkeyed,
    /// The key of the row is not in the secret key file.
    UnknownKey,
}

impl ChainErrorKind {
    /// The label for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Missing => "the row is missing",
            Self::Altered => "the row, or its hash, was altered",
            Self::Added => "the row was added outside of Latchkey",
            Self::AnotherEnd => "the chain ended in another row",
            Self::Unkeyed => "the row was written without a key, and the chain was not sealed after it",
            Self::UnknownKey => "the key of the row is not in the secret key file",
        }
    }
}
