//! The verdict on a credential.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `VALID`, or the first reason why not, in the evaluator's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    Valid,
    /// The address, origin or property of the client, as the verifier sent it, is malformed.
    InvalidRequest,
    Malformed,
    NotFound,
    Revoked,
    SecretReplaced,
    Expired,
    Disabled,
    IpNotAllowed,
    OriginNotAllowed,
    InsufficientPermissions,
    PropertyNotAllowed,
    RateLimited,
}

impl Verdict {
    pub const ALL: [Self; 13] = [
        Self::Valid,
        Self::InvalidRequest,
        Self::Malformed,
        Self::NotFound,
        Self::Revoked,
        Self::SecretReplaced,
        Self::Expired,
        Self::Disabled,
        Self::IpNotAllowed,
        Self::OriginNotAllowed,
        Self::InsufficientPermissions,
        Self::PropertyNotAllowed,
        Self::RateLimited,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "VALID",
            Self::InvalidRequest => "INVALID_REQUEST",
            Self::Malformed => "MALFORMED",
            Self::NotFound => "NOT_FOUND",
            Self::Revoked => "REVOKED",
            Self::SecretReplaced => "SECRET_REPLACED",
            Self::Expired => "EXPIRED",
            Self::Disabled => "DISABLED",
            Self::IpNotAllowed => "IP_NOT_ALLOWED",
            Self::OriginNotAllowed => "ORIGIN_NOT_ALLOWED",
            Self::InsufficientPermissions => "INSUFFICIENT_PERMISSIONS",
            Self::PropertyNotAllowed => "PROPERTY_NOT_ALLOWED",
            Self::RateLimited => "RATE_LIMITED",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == text)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdict_name_round_trips() {
        for verdict in Verdict::ALL {
            assert_eq!(serde_json::to_string(&verdict).unwrap(), format!("\"{verdict}\""));
            assert_eq!(Verdict::parse(verdict.as_str()), Some(verdict));
        }
        assert_eq!(Verdict::parse("valid"), None);
    }
}
