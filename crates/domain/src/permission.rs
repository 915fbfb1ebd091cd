//! Permissions, `resource:action` with `*` for either side, and what scopes leave of them.

use std::{borrow::Cow, collections::BTreeSet, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::scope::{Scope, Scopes};

/// `reservations:read`, `reservations:*`, `*:read`, or `*` for everything.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Permission {
    resource: Side,
    action: Side,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Side {
    Any,
    Word(Cow<'static, str>),
}

/// The text is no permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a permission. Write resource:action in lower case, with * for either side, or * alone")]
pub struct ParsePermissionError(String);

const MAX_WORD_CHARS: usize = 64;

impl Side {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        is_word(text).then(|| Self::Word(text.to_owned().into()))
    }

    fn word(&self) -> Option<&str> {
        match self {
            Self::Any => None,
            Self::Word(word) => Some(word),
        }
    }

    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }

    fn covers(&self, other: &Self) -> bool {
        *self == Self::Any || self == other
    }
}

const fn is_word(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let fits = match bytes[at] {
            b'a'..=b'z' => true,
            b'0'..=b'9' | b'_' | b'-' => at > 0,
            _ => false,
        };
        if !fits {
            return false;
        }
        at += 1;
    }
    at > 0 && at <= MAX_WORD_CHARS
}

impl Permission {
    /// To ask about other keys.
    pub const VERIFY_KEYS: Self = Self::known("keys", "verify");

    /// A permission known at compile time. In a constant, an invalid one does not compile.
    #[must_use]
    pub const fn known(resource: &'static str, action: &'static str) -> Self {
        assert!(is_word(resource) && is_word(action), "no words of a permission");
        Self { resource: Side::Word(Cow::Borrowed(resource)), action: Side::Word(Cow::Borrowed(action)) }
    }

    /// Reads a permission as people write it.
    ///
    /// # Errors
    /// If the text is neither `*` nor two sides with a colon between.
    pub fn parse(text: &str) -> Result<Self, ParsePermissionError> {
        let refused = || ParsePermissionError(text.to_owned());
        if text == "*" {
            return Ok(Self { resource: Side::Any, action: Side::Any });
        }
        let (resource, action) = text.split_once(':').ok_or_else(refused)?;
        match (Side::parse(resource), Side::parse(action)) {
            (Some(resource), Some(action)) => Ok(Self { resource, action }),
            _ => Err(refused()),
        }
    }

    /// The resource, unless it is any.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        self.resource.word()
    }

    /// The action, unless it is any.
    #[must_use]
    pub fn action(&self) -> Option<&str> {
        self.action.word()
    }

    /// Returns whether this permission covers `other`.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.resource.covers(&other.resource) && self.action.covers(&other.action)
    }

    /// Returns the part of this permission that the scopes leave.
    #[must_use]
    pub fn restriction(&self, scopes: Scopes) -> Restriction {
        let verifies = self.covers(&Self::VERIFY_KEYS);
        match (&self.action, scopes) {
            (_, Scopes::Both) => Restriction::Whole,
            (Side::Any, Scopes::Read) => {
                let mut left = vec![Self { resource: self.resource.clone(), action: Side::Word("read".into()) }];
                left.extend(verifies.then_some(Self::VERIFY_KEYS));
                Restriction::Only(left)
            }
            (Side::Any, Scopes::Write) => Restriction::ReadOnly,
            (Side::Word(action), _) if action == "verify" && self.resource == Side::Any => {
                if scopes.read() {
                    Restriction::Only(vec![Self::VERIFY_KEYS])
                } else {
                    Restriction::ReadOnly
                }
            }
            (Side::Word(_), _) if scopes.holds(self.needed_scope()) => Restriction::Whole,
            (Side::Word(_), _) => Restriction::Nothing,
        }
    }

    /// Returns true if either side is `*`.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.resource == Side::Any || self.action == Side::Any
    }

    fn listed(&self, scopes: Scopes) -> Vec<Self> {
        match self.restriction(scopes) {
            Restriction::Whole => vec![self.clone()],
            Restriction::Only(left) => left,
            Restriction::ReadOnly if self.action == Side::Any => {
                vec![Self { resource: self.resource.clone(), action: Side::Word("write".into()) }]
            }
            Restriction::ReadOnly | Restriction::Nothing => Vec::new(),
        }
    }

    /// The scope that an action needs: reading and verifying keys need `read`, everything else `write`.
    #[must_use]
    pub fn needed_scope(&self) -> Scope {
        let reads = self.action.is("read") || *self == Self::VERIFY_KEYS;
        if reads { Scope::Read } else { Scope::Write }
    }
}

/// Permissions, and the scopes that restrict them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants {
    /// Shared by all that hold them: those of a group are the same for each of its keys.
    pub permissions: Arc<[Permission]>,
    pub scopes: Scopes,
}

impl Grants {
    /// Returns true if the scopes allow this permission. `resource:*` needs both scopes.
    #[must_use]
    pub fn allow(&self, demand: &Permission) -> bool {
        let in_scope = match demand.action {
            Side::Any => self.scopes == Scopes::Both,
            Side::Word(_) => self.scopes.holds(demand.needed_scope()),
        };
        in_scope && self.permissions.iter().any(|held| held.covers(demand))
    }
}

impl Grants {
    /// The effective permissions as a list, for clients that compare permissions themselves. The list never grants more
    /// than [`Self::allow`]; what cannot be expressed is left out. With the scope `write` alone, a wildcard action is
    /// listed as `write`, because its name does not show which other actions it covers.
    #[must_use]
    pub fn effective(&self) -> Cow<'_, [Permission]> {
        if self.scopes == Scopes::Both {
            return Cow::Borrowed(&self.permissions);
        }
        let mut listed: Vec<Permission> = Vec::new();
        for permission in self.permissions.iter().flat_map(|held| held.listed(self.scopes)) {
            if !listed.contains(&permission) {
                listed.push(permission);
            }
        }
        Cow::Owned(listed)
    }

    /// Returns the effective permissions without wildcards: those among `known`, and those held by name.
    #[must_use]
    pub fn expand<'a>(&'a self, known: impl IntoIterator<Item = &'a Permission>) -> BTreeSet<&'a Permission> {
        let named = known.into_iter().chain(&*self.permissions).filter(|permission| !permission.is_wildcard());
        named.filter(|permission| self.allow(permission)).collect()
    }
}

/// A group's permission as the key's scopes narrow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restriction {
    Whole,
    Only(Vec<Permission>),
    /// Every action of it save those that need the scope `read`.
    ReadOnly,
    Nothing,
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.resource, &self.action) {
            (Side::Any, Side::Any) => f.write_str("*"),
            (resource, action) => write!(f, "{resource}:{action}"),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Word(word) => f.write_str(word),
        }
    }
}

impl TryFrom<String> for Permission {
    type Error = ParsePermissionError;

    fn try_from(text: String) -> Result<Self, ParsePermissionError> {
        Self::parse(&text)
    }
}

impl From<Permission> for String {
    fn from(permission: Permission) -> String {
        permission.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn permission(text: &str) -> Permission {
        Permission::parse(text).unwrap()
    }

    #[test]
    fn permissions_round_trip() {
        for text in ["*", "reservations:read", "reservations:*", "*:read", "rate_plans:bulk-edit2"] {
            assert_eq!(permission(text).to_string(), text);
        }
        assert_eq!(permission("*:*").to_string(), "*");
        for text in ["", "reservations", ":", "a:", ":b", "A:read", "a:b:c", "a b:read", "*a:read", "1a:read", "é:read"]
        {
            assert!(Permission::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn wildcards_cover_their_side() {
        let covers = |whole: &str, part: &str| permission(whole).covers(&permission(part));
        assert!(covers("*", "reservations:write"));
        assert!(covers("reservations:*", "reservations:write"));
        assert!(covers("*:read", "services:read"));
        assert!(covers("*:read", "*:read"));
        assert!(!covers("*:read", "services:write"));
        assert!(!covers("reservations:*", "services:read"));
        assert!(!covers("reservations:read", "*:read"));
        assert!(!covers("reservations:read", "reservations:*"));
    }

    #[test]
    fn scopes_narrow_permissions() {
        use Restriction::{Nothing, Only, ReadOnly, Whole};
        let only = |texts: &[&str]| Only(texts.iter().map(|text| permission(text)).collect());
        let table = [
            ("*", Scopes::Both, Whole),
            ("*", Scopes::Read, only(&["*:read", "keys:verify"])),
            ("*", Scopes::Write, ReadOnly),
            ("reservations:*", Scopes::Read, only(&["reservations:read"])),
            ("reservations:*", Scopes::Write, ReadOnly),
            ("keys:*", Scopes::Read, only(&["keys:read", "keys:verify"])),
            ("*:read", Scopes::Read, Whole),
            ("*:read", Scopes::Write, Nothing),
            ("keys:verify", Scopes::Read, Whole),
            ("keys:verify", Scopes::Write, Nothing),
            ("*:verify", Scopes::Read, only(&["keys:verify"])),
            ("*:verify", Scopes::Write, ReadOnly),
            ("bookings:verify", Scopes::Write, Whole),
            ("bookings:verify", Scopes::Read, Nothing),
            ("reservations:write", Scopes::Read, Nothing),
            ("reservations:cancel", Scopes::Write, Whole),
        ];
        for (text, scopes, expected) in table {
            assert_eq!(permission(text).restriction(scopes), expected, "{text} with {scopes}");
        }
    }

    #[test]
    fn grants_are_permissions_within_scopes() {
        let allow = |held: &[&str], scopes, demand: &str| {
            let permissions: Arc<[Permission]> = held.iter().map(|text| permission(text)).collect();
            Grants { permissions, scopes }.allow(&permission(demand))
        };
        for (held, scopes, demand, expected) in [
            (&["reservations:*"][..], Scopes::Both, "reservations:write", true),
            (&["reservations:*"], Scopes::Read, "reservations:write", false),
            (&["reservations:*"], Scopes::Write, "reservations:read", false),
            (&["reservations:*"], Scopes::Both, "services:read", false),
            (&["services:read", "reservations:write"], Scopes::Write, "reservations:write", true),
            (&["*:read"], Scopes::Both, "reservations:write", false),
            (&["*"], Scopes::Read, "keys:verify", true),
            (&["*"], Scopes::Write, "keys:verify", false),
            (&["*"], Scopes::Read, "reservations:*", false),
            (&["*"], Scopes::Both, "*", true),
            (&[], Scopes::Both, "services:read", false),
        ] {
            assert_eq!(allow(held, scopes, demand), expected, "{held:?} with {scopes} for {demand}");
        }
    }

    #[test]
    fn effective_permissions_are_listed() {
        let listed = |held: &[&str], scopes| {
            let permissions = held.iter().map(|text| permission(text)).collect();
            Grants { permissions, scopes }.effective().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        for (held, scopes, expected) in [
            (&["*"][..], Scopes::Both, "*"),
            (&["*"], Scopes::Read, "*:read keys:verify"),
            (&["*"], Scopes::Write, "*:write"),
            (&["reservations:*", "*:read"], Scopes::Read, "reservations:read *:read"),
            (&["reservations:*", "reservations:write"], Scopes::Write, "reservations:write"),
            (&["*:verify", "reservations:cancel"], Scopes::Write, "reservations:cancel"),
            (&["keys:verify"], Scopes::Write, ""),
        ] {
            assert_eq!(listed(held, scopes), expected, "{held:?} with {scopes}");
        }
    }

    fn side() -> impl Strategy<Value = String> {
        prop_oneof!["\\*", "[ab]", "read", "verify", "keys"]
    }

    fn any_permission() -> impl Strategy<Value = Permission> {
        (side(), side()).prop_map(|(resource, action)| permission(&format!("{resource}:{action}")))
    }

    proptest! {
        #[test]
        fn permission_covers_another_if_both_sides_match(held in any_permission(), demand in any_permission()) {
            let sides = |permission: &Permission| {
                let text = permission.to_string();
                let (resource, action) = text.split_once(':').unwrap_or(("*", "*"));
                (resource.to_owned(), action.to_owned())
            };
            let ((resource, action), (wanted_resource, wanted_action)) = (sides(&held), sides(&demand));
            let matches = |own: &str, other: &str| own == "*" || own == other;
            prop_assert_eq!(held.covers(&demand), matches(&resource, &wanted_resource) && matches(&action, &wanted_action));
        }

        /// The form's preview of the remaining permissions agrees with the evaluator.
        #[test]
        fn effective_permissions_match_what_is_allowed(held in any_permission(), demand in any_permission(), picked in 0usize..3) {
            prop_assume!(!demand.to_string().ends_with('*'));
            let scopes = [Scopes::Read, Scopes::Write, Scopes::Both][picked];
            let shown = match held.restriction(scopes) {
                Restriction::Whole => held.covers(&demand),
                Restriction::Only(left) => left.iter().any(|left| left.covers(&demand)),
                Restriction::ReadOnly => held.covers(&demand) && demand.needed_scope() == Scope::Write,
                Restriction::Nothing => false,
            };
            let grants = Grants { permissions: [held].into(), scopes };
            prop_assert_eq!(grants.allow(&demand), shown);
            prop_assert!(shown || !grants.effective().iter().any(|listed| listed.covers(&demand)), "listed, not allowed");
        }
    }
}
