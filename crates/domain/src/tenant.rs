//! Tenants: the organizations that hand out keys.

use serde::{Deserialize, Serialize};

use crate::id::TenantId;

/// The key limit of a new tenant.
pub const DEFAULT_KEY_LIMIT: u32 = 10;

/// The most that a key limit can be set to.
pub const MAX_KEY_LIMIT: u32 = 1_000_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    pub id: TenantId,
    pub slug: String,
    pub name: String,
    pub key_limit: u32,
    /// True if the tenant's subscription includes API keys.
    pub api_keys: bool,
    /// An IANA name, such as `Europe/Lisbon`.
    pub time_zone: String,
    /// True if every person of the tenant must have a second factor.
    pub requires_second_factor: bool,
}

/// Returns whether the text is a slug: lower-case letters, digits and single hyphens.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    (2..=50).contains(&text.len())
        && text
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::is_slug;

    #[test]
    fn slugs_are_safe_in_urls() {
        for good in ["acme", "acme-hotels", "a1", "4-seasons"] {
            assert!(is_slug(good), "{good}");
        }
        for bad in ["", "a", "Acme", "acme--hotels", "-acme", "acme-", "a b", "ünder", "a/b", &"a".repeat(51)] {
            assert!(!is_slug(bad), "{bad}");
        }
    }
}
