//! Warnings about keys that need attention.

use chrono::{DateTime, Days, Utc};

use crate::key::{Key, Status};

/// The time without a call after which a key counts as unused.
pub const UNUSED_AFTER: Days = Days::new(90);

/// The time without a rotation after which a secret counts as old.
pub const OLD_AFTER: Days = Days::new(365);

/// The time that a new key has for its first call before the list warns about it.
pub const NEW_FOR: Days = Days::new(30);

/// A reason to look at a key again. A key that was revoked gives none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyWarning {
    NeverUsed,
    /// It was used once, and then not for long.
    Unused,
    OldSecret,
}

impl KeyWarning {
    pub const ALL: [Self; 3] = [Self::NeverUsed, Self::Unused, Self::OldSecret];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NeverUsed => "never_used",
            Self::Unused => "unused",
            Self::OldSecret => "old_secret",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|attention| attention.as_str() == text)
    }

    /// Returns true if the filter of this name lists the key.
    #[must_use]
    pub fn applies_to(self, key: &Key, now: DateTime<Utc>) -> bool {
        key.status() == Status::Active
            && match self {
                Self::NeverUsed => key.last_used_at.is_none(),
                Self::Unused => key.last_used_at.is_some_and(|last| last <= now - UNUSED_AFTER),
                Self::OldSecret => key.secret_created_at <= now - OLD_AFTER,
            }
    }

    /// Returns true if the list warns about the key. A new key has time for its first call.
    #[must_use]
    pub fn is_marked_on(self, key: &Key, now: DateTime<Utc>) -> bool {
        let is_new = key.created_at > now - NEW_FOR;
        self.applies_to(key, now) && !(self == Self::NeverUsed && is_new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{GroupId, Id, KeyId},
        key::GroupName,
        property::PropertyScope,
        rate_limit::RateLimit,
        scope::Scopes,
        secret::SecretHint,
    };

    const NOW: &str = "2026-11-21T12:00:00Z";

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// A key by its history: when it and its secret were made, when it was last used, whether it was revoked.
    fn key(created: &str, secret: &str, last_used: Option<&str>, revoked: bool) -> Key {
        let ulid = "01KAJ2TZ7Z0000000000000000";
        Key {
            id: KeyId::parse(&format!("key_{ulid}")).unwrap(),
            name: "PMS".to_owned(),
            description: String::new(),
            hint: SecretHint { head: String::new(), tail: String::new() },
            group: Some(GroupName { id: GroupId::parse(&format!("grp_{ulid}")).unwrap(), name: String::new() }),
            owner: None,
            scopes: Scopes::Both,
            reach: PropertyScope::All,
            allowed_ips: Vec::new(),
            allowed_origins: Vec::new(),
            rate_limit_per_minute: RateLimit::DEFAULT,
            expires_at: None,
            created_at: time(created),
            created_by: String::new(),
            revoked_at: revoked.then(|| time(NOW)),
            revoked_by: None,
            last_used_at: last_used.map(time),
            last_used_ip: None,
            secret_created_at: time(secret),
            old_secret_until: None,
            version: 1,
        }
    }

    fn those(test: impl Fn(KeyWarning) -> bool) -> Vec<KeyWarning> {
        KeyWarning::ALL.into_iter().filter(|attention| test(*attention)).collect()
    }

    #[test]
    fn each_warning_starts_at_its_instant() {
        use KeyWarning::{NeverUsed, OldSecret, Unused};
        let (yesterday, long_ago) = ("2026-11-20T12:00:00Z", "2026-01-01T00:00:00Z");
        for (created, secret, last_used, listed, marked) in [
            (yesterday, yesterday, None, &[NeverUsed][..], &[][..]),
            ("2026-10-22T12:00:00.001Z", yesterday, None, &[NeverUsed], &[]),
            ("2026-10-22T12:00:00Z", yesterday, None, &[NeverUsed], &[NeverUsed]),
            (long_ago, yesterday, Some(yesterday), &[], &[]),
            (long_ago, yesterday, Some("2026-08-23T12:00:00.001Z"), &[], &[]),
            (long_ago, yesterday, Some("2026-08-23T12:00:00Z"), &[Unused], &[Unused]),
            (long_ago, "2025-11-21T12:00:00.001Z", Some(yesterday), &[], &[]),
            (long_ago, "2025-11-21T12:00:00Z", Some(yesterday), &[OldSecret], &[OldSecret]),
            (long_ago, "2025-01-01T00:00:00Z", None, &[NeverUsed, OldSecret], &[NeverUsed, OldSecret]),
        ] {
            let key = key(created, secret, last_used, false);
            assert_eq!(those(|attention| attention.applies_to(&key, time(NOW))), listed, "{key:?}");
            assert_eq!(those(|attention| attention.is_marked_on(&key, time(NOW))), marked, "{key:?}");
        }
    }

    #[test]
    fn revoked_key_has_no_warning() {
        let revoked = key("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", None, true);
        assert_eq!(those(|attention| attention.applies_to(&revoked, time(NOW))), []);
        assert_eq!(those(|attention| attention.is_marked_on(&revoked, time(NOW))), []);
    }

    #[test]
    fn warning_name_round_trips() {
        for attention in KeyWarning::ALL {
            assert_eq!(KeyWarning::parse(attention.as_str()), Some(attention));
        }
        assert_eq!(KeyWarning::parse("NEVER_USED"), None);
    }
}
