//! Identifiers: a prefix that names the type, and a ULID that sorts by time of creation.

use std::fmt;

use arrayvec::ArrayString;
use serde::{Deserialize, Serialize};

/// The operations of every identifier.
pub trait Id: Sized {
    /// The part before the ULID, including the underscore.
    const PREFIX: &'static str;

    /// Reads an identifier as it is written in a URL, a form or a database.
    ///
    /// # Errors
    /// If the prefix is another one or what follows is no ULID.
    fn parse(text: &str) -> Result<Self, ParseIdError>;

    /// The identifier as text.
    fn as_str(&self) -> &str;
}

/// The text is no identifier of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier that starts with \"{expected}\"")]
pub struct ParseIdError {
    expected: &'static str,
}

const ULID_LENGTH: usize = 26;

/// A prefix is three letters and an underscore.
const ULID_CHARS: usize = 4 + ULID_LENGTH;

fn is_ulid(text: &str) -> bool {
    // The first character of a ULID is at most 7: 26 characters hold 130 bits, a ULID has 128.
    text.len() == ULID_LENGTH
        && matches!(text.as_bytes()[0], b'0'..=b'7')
        && text.bytes().all(
            |byte| matches!(byte, b'0'..=b'9' | b'A'..=b'H' | b'J' | b'K' | b'M' | b'N' | b'P'..=b'T' | b'V'..=b'Z'),
        )
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(ArrayString<ULID_CHARS>);

        impl Id for $name {
            const PREFIX: &'static str = $prefix;

            fn parse(text: &str) -> Result<Self, ParseIdError> {
                let refused = ParseIdError { expected: $prefix };
                match text.strip_prefix($prefix) {
                    Some(ulid) if is_ulid(ulid) => ArrayString::from(text).map(Self).map_err(|_| refused),
                    _ => Err(refused),
                }
            }

            fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseIdError;

            fn try_from(text: String) -> Result<Self, ParseIdError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// A tenant.
    TenantId = "ten_";
    /// A person.
    PersonId = "per_";
    /// A property.
    PropertyId = "prp_";
    /// An authorization group.
    GroupId = "grp_";
    /// An API key.
    KeyId = "key_";
    /// A secret of an API key: a key has several in the course of its rotations.
    SecretId = "sec_";
    /// Something that a property offers.
    ServiceId = "svc_";
    /// A service with something added to it, at a price of its own.
    PackageId = "pkg_";
    /// A reservation.
    ReservationId = "res_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_is_its_prefix_and_a_ulid() {
        let good = "key_01JCQ4Y2V9ZK3T5N6R7S8W9XAB";
        assert_eq!(KeyId::parse(good).unwrap().as_str(), good);
        for bad in [
            "",
            "key_",
            "ten_01JCQ4Y2V9ZK3T5N6R7S8W9XAB",
            "key_01JCQ4Y2V9ZK3T5N6R7S8W9XA",
            "key_01JCQ4Y2V9ZK3T5N6R7S8W9XABC",
            "key_81JCQ4Y2V9ZK3T5N6R7S8W9XAB",
            "key_01jcq4y2v9zk3t5n6r7s8w9xab",
            "key_01JCQ4Y2V9ZK3T5N6R7S8W9XÄ",
        ] {
            assert!(KeyId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
