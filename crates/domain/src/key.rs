//! API keys as people see them. A secret is never part of one.

use chrono::{DateTime, Days, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{
    id::{GroupId, KeyId, PersonId},
    origin::Origin,
    property::PropertyScope,
    rate_limit::RateLimit,
    scope::Scopes,
    secret::SecretHint,
};

/// A key with all that a list or a page shows of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    pub id: KeyId,
    pub name: String,
    pub description: String,
    #[serde(flatten)]
    pub hint: SecretHint,
    /// The group that sets the key's permissions. A personal key has those of its owner instead.
    pub group: Option<GroupName>,
    /// The owner of a personal key.
    pub owner: Option<KeyOwner>,
    pub scopes: Scopes,
    pub reach: PropertyScope,
    pub allowed_ips: Vec<IpNet>,
    pub allowed_origins: Vec<Origin>,
    pub rate_limit_per_minute: RateLimit,
    pub expires_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    pub revoked_at: Option<DateTime<Utc>>,
    pub revoked_by: Option<String>,
    pub last_used_at: Option<DateTime<Utc>>,
    pub last_used_ip: Option<String>,
    pub secret_created_at: DateTime<Utc>,
    /// The end of the previous secret's grace period.
    pub old_secret_until: Option<DateTime<Utc>>,
    /// Counts the changes, so that two people cannot overwrite each other unseen.
    pub version: i32,
}

/// The group of a key, as far as a list needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupName {
    pub id: GroupId,
    pub name: String,
}

/// The person a personal key belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyOwner {
    pub id: PersonId,
    pub name: String,
}

/// The stored state of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Active,
    Revoked,
}

/// The state of a key's expiration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    Valid,
    ExpiringSoon,
    Expired,
}

/// The time before its expiration during which a key is expiring soon.
pub const SOON: Days = Days::new(30);

impl Validity {
    /// A key is expired at the very instant of its expiration.
    #[must_use]
    pub fn at(expires_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        match expires_at {
            Some(instant) if instant <= now => Self::Expired,
            Some(instant) if instant <= now + SOON => Self::ExpiringSoon,
            _ => Self::Valid,
        }
    }
}

impl Key {
    #[must_use]
    pub fn status(&self) -> Status {
        if self.revoked_at.is_some() { Status::Revoked } else { Status::Active }
    }

    #[must_use]
    pub fn validity(&self, now: DateTime<Utc>) -> Validity {
        Validity::at(self.expires_at, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_expires_at_the_instant_itself() {
        let now: DateTime<Utc> = "2026-11-21T12:00:00Z".parse().unwrap();
        for (expires_at, expected) in [
            (None, Validity::Valid),
            (Some("2026-11-21T11:59:59.999Z"), Validity::Expired),
            (Some("2026-11-21T12:00:00Z"), Validity::Expired),
            (Some("2026-11-21T12:00:00.001Z"), Validity::ExpiringSoon),
            (Some("2026-12-21T12:00:00Z"), Validity::ExpiringSoon),
            (Some("2026-12-21T12:00:00.001Z"), Validity::Valid),
        ] {
            let instant = expires_at.map(|text| text.parse().unwrap());
            assert_eq!(Validity::at(instant, now), expected, "{expires_at:?}");
        }
    }
}
