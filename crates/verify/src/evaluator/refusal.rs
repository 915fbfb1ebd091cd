//! Why a credential was refused, in text that tells an integrator what to do.

use std::{fmt, net::IpAddr, time::Duration};

use chrono::NaiveDate;
use domain::{permission::Permission, scope::Scope, verdict::Verdict};

use super::LegacyRefusal;
use crate::rate_limit::{Quota, whole_seconds};

/// The first check that a credential did not pass, with what there is to say about it. Days are those of the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    Malformed,
    NotFound,
    TooManyUnknownKeys {
        retry_after: Duration,
    },
    Revoked {
        on: NaiveDate,
    },
    /// The secret was replaced by a rotation, and its grace period has ended.
    Replaced {
        on: NaiveDate,
    },
    Expired {
        on: NaiveDate,
    },
    Disabled(Reason),
    IpNotAllowed {
        /// None if the address is unknown.
        address: Option<IpAddr>,
    },
    OriginNotAllowed {
        was_sent: bool,
    },
    InsufficientPermissions {
        needed: Permission,
        /// The key's group; a person has none.
        group: Option<String>,
        /// True if only the scope is missing.
        lacks_scope_alone: bool,
    },
    PropertyNotAllowed,
    /// The tenant has no such property.
    NoSuchProperty,
    RateLimited(Quota),
    /// More than the key may do in a whole minute.
    CostsTooMuch {
        cost: u16,
        limit: u16,
    },
    Legacy(LegacyRefusal),
}

/// Why an otherwise valid key is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    NoSubscription,
    OwnerDeactivated,
}

impl Refusal {
    /// The verdict on a key; people have none.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        Some(match self {
            Self::Malformed => Verdict::Malformed,
            Self::NotFound | Self::TooManyUnknownKeys { .. } => Verdict::NotFound,
            Self::Revoked { .. } => Verdict::Revoked,
            Self::Replaced { .. } => Verdict::SecretReplaced,
            Self::Expired { .. } => Verdict::Expired,
            Self::Disabled(_) => Verdict::Disabled,
            Self::IpNotAllowed { .. } => Verdict::IpNotAllowed,
            Self::OriginNotAllowed { .. } => Verdict::OriginNotAllowed,
            Self::InsufficientPermissions { .. } => Verdict::InsufficientPermissions,
            Self::PropertyNotAllowed | Self::NoSuchProperty => Verdict::PropertyNotAllowed,
            Self::RateLimited(_) | Self::CostsTooMuch { .. } => Verdict::RateLimited,
            Self::Legacy(_) => return None,
        })
    }

    /// Returns the number of seconds after which a retry can succeed.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::RateLimited(quota) => Some(quota.reset_seconds),
            Self::TooManyUnknownKeys { retry_after } | Self::Legacy(LegacyRefusal::TooManyAttempts { retry_after }) => {
                Some(whole_seconds(*retry_after))
            }
            _ => None,
        }
    }
}

/// The console page for keys.
const CONSOLE: &str = "Settings → API Keys";

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str(
                "This API key is incomplete or mistyped. Copy it again from where you stored it, without quotes or \
                 line breaks.",
            ),
            Self::NotFound => write!(
                f,
                "This API key does not exist. It may have been deleted, or belong to another installation. Generate \
                 one in {CONSOLE}."
            ),
            Self::TooManyUnknownKeys { retry_after } => write!(
                f,
                "Too many unknown keys were sent from this address. Wait {} seconds, then send a valid key.",
                whole_seconds(*retry_after)
            ),
            Self::Revoked { on } => {
                write!(
                    f,
                    "This key was revoked on {on}, which cannot be undone. Ask an admin to generate a new one \
                    in {CONSOLE}."
                )
            }
            Self::Replaced { on } => write!(
                f,
                "This secret stopped working on {on}, after the key was rotated. Use the key's new secret, or rotate \
                 it again in {CONSOLE}."
            ),
            Self::Expired { on } => write!(f, "This key expired on {on}. Rotate it in {CONSOLE}."),
            Self::Disabled(Reason::NoSubscription) => f.write_str(
                "The organization's subscription does not currently include API keys. The key will work again once it \
                 does.",
            ),
            Self::Disabled(Reason::OwnerDeactivated) => {
                f.write_str("The owner of this key was deactivated. Ask an admin.")
            }
            Self::IpNotAllowed { address: Some(address) } => write!(
                f,
                "This key cannot be used from {address}. Add the address to its IP allowlist in {CONSOLE}, or call \
                 from an allowed one."
            ),
            Self::IpNotAllowed { address: None } => f.write_str(
                "This key has an IP allowlist, and a proxy in front of the API sent an X-Forwarded-For that cannot be \
                 parsed. Configure the proxy to send plain addresses.",
            ),
            Self::OriginNotAllowed { was_sent: true } => {
                write!(
                    f,
                    "This key cannot be used from this origin. Add the origin to its allowed origins in \
                    {CONSOLE}."
                )
            }
            Self::OriginNotAllowed { was_sent: false } => write!(
                f,
                "This key can be used by web pages of certain origins only, and this call has no Origin header. Call \
                 from such a page, or clear the key's allowed origins in {CONSOLE}."
            ),
            Self::InsufficientPermissions { needed, lacks_scope_alone: true, .. } => write!(
                f,
                "This call requires {needed}, and the key lacks the scope {}. Add the scope to the key in {CONSOLE}.",
                match needed.needed_scope() {
                    Scope::Read => "Read",
                    Scope::Write => "Write",
                }
            ),
            Self::InsufficientPermissions { needed, group: Some(group), .. } => write!(
                f,
                "This call requires {needed}, which the key's group “{group}” does not grant. Give the key another \
                 group in {CONSOLE}."
            ),
            Self::InsufficientPermissions { needed, group: None, .. } => {
                write!(f, "This call requires {needed}, which this person does not have. Use an API key that does.")
            }
            Self::PropertyNotAllowed => {
                write!(f, "This key cannot access this property. Add the property to the key in {CONSOLE}.")
            }
            Self::NoSuchProperty => f.write_str("There is no such property. GET /api/v1/properties lists them."),
            Self::RateLimited(quota) => write!(
                f,
                "This key has reached its rate limit of {} a minute. Wait {} seconds, or have the limit raised in {CONSOLE}.",
                quota.limit, quota.reset_seconds
            ),
            Self::CostsTooMuch { cost, limit } => write!(
                f,
                "This key's rate limit is {limit} a minute, and this call costs {cost}. Lower the cost, or have \
                 the limit raised in {CONSOLE}."
            ),
            Self::Legacy(refusal) => refusal.fmt(f),
        }
    }
}

impl From<LegacyRefusal> for Refusal {
    fn from(refusal: LegacyRefusal) -> Self {
        Self::Legacy(refusal)
    }
}
