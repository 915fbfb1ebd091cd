//! Scopes narrow what a key's group allows.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of the two ways a key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    Read,
    Write,
}

impl Scope {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// The scopes of a key: at least one, so "none" cannot be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Scope>", into = "Vec<Scope>")]
pub enum Scopes {
    Read,
    Write,
    Both,
}

impl Scopes {
    /// The scopes that were ticked; nothing when none was.
    #[must_use]
    pub const fn from_ticks(read: bool, write: bool) -> Option<Self> {
        match (read, write) {
            (true, true) => Some(Self::Both),
            (true, false) => Some(Self::Read),
            (false, true) => Some(Self::Write),
            (false, false) => None,
        }
    }

    #[must_use]
    pub const fn read(self) -> bool {
        matches!(self, Self::Read | Self::Both)
    }

    #[must_use]
    pub const fn write(self) -> bool {
        matches!(self, Self::Write | Self::Both)
    }

    #[must_use]
    pub const fn holds(self, scope: Scope) -> bool {
        match scope {
            Scope::Read => self.read(),
            Scope::Write => self.write(),
        }
    }

    /// The form in which it is stored: names separated by a space.
    ///
    /// # Errors
    /// If a word is no scope, or there is none.
    pub fn parse(text: &str) -> Result<Self, ParseScopesError> {
        let (mut read, mut write) = (false, false);
        for word in text.split_ascii_whitespace() {
            match word {
                "read" => read = true,
                "write" => write = true,
                _ => return Err(ParseScopesError),
            }
        }
        Self::from_ticks(read, write).ok_or(ParseScopesError)
    }
}

/// The text names no scope, or something else than scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("scopes are \"read\", \"write\" or both")]
pub struct ParseScopesError;

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Both => "read write",
        })
    }
}

impl TryFrom<Vec<Scope>> for Scopes {
    type Error = ParseScopesError;

    fn try_from(scopes: Vec<Scope>) -> Result<Self, ParseScopesError> {
        Self::from_ticks(scopes.contains(&Scope::Read), scopes.contains(&Scope::Write)).ok_or(ParseScopesError)
    }
}

impl From<Scopes> for Vec<Scope> {
    fn from(scopes: Scopes) -> Self {
        [Scope::Read, Scope::Write].into_iter().filter(|scope| scopes.holds(*scope)).collect()
    }
}
