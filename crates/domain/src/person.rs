//! People who sign in.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    field::{Field, FieldError},
    group::parse_name,
    id::PersonId,
    key::GroupName,
    text,
};

/// The role of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the installation; belongs to no tenant.
    SuperUser,
    /// Runs one tenant.
    TenantAdmin,
    Member,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::SuperUser, Self::TenantAdmin, Self::Member];

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// The label for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::SuperUser => "Super user",
            Self::TenantAdmin => "Admin",
            Self::Member => "Member",
        }
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SuperUser => "super_user",
            Self::TenantAdmin => "tenant_admin",
            Self::Member => "member",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: PersonId,
    pub email: Email,
    pub name: String,
    pub role: Role,
}

/// Names that the audit log gives to actors who are no person.
const RESERVED_NAMES: [&str; 2] = ["operator", "unknown"];

/// Parses the name of a person. It cannot look like that of the operator, or like one with a role behind it.
///
/// # Errors
/// Why it was refused, for the person who typed it.
pub fn parse_person_name(text: &str) -> Result<String, FieldError> {
    let name = parse_name(text)?;
    let lower = name.to_lowercase();
    let names_a_role = |role: Role| {
        let spelled = [role.label().to_lowercase(), role.as_str().replace('_', " ")];
        spelled.iter().any(|role| lower.ends_with(&format!("({role})")))
    };
    if RESERVED_NAMES.contains(&lower.as_str()) || Role::ALL.into_iter().any(names_a_role) {
        let detail = "This name is reserved, since the audit log uses it. Choose another one.";
        return Err(FieldError::new(Field::Name, "reserved", detail));
    }
    Ok(name)
}

/// A person as a tenant's admins see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    #[serde(flatten)]
    pub person: Person,
    pub state: PersonState,
    /// The groups that grant a member's permissions. An admin has all permissions.
    pub groups: Vec<GroupName>,
    pub has_second_factor: bool,
    /// The time of the person's last request to the console.
    pub last_seen_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonState {
    /// Has yet to set a password.
    Invited,
    Active,
    #[serde(rename = "switched_off")]
    Deactivated,
}

impl PersonState {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Deactivated => "switched_off",
        }
    }
}

/// A session of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub user_agent: String,
    pub address: String,
    pub opened_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
    /// True for the session that made the request.
    pub is_this: bool,
}

/// An e-mail address in lower case, as it is stored and compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

const MAX_EMAIL_CHARS: usize = 254;

impl Email {
    /// Checks no more than that mail could be addressed to it: something, an at sign, a host.
    ///
    /// # Errors
    /// If it could not.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let text = text.trim().to_lowercase();
        let refused = |code, detail: &str| FieldError::new(Field::Email, code, detail);
        if text.is_empty() {
            return Err(refused("required", "Enter an e-mail address."));
        }
        let is_address = text.rsplit_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && !host.is_empty() && !host.starts_with('.') && !host.ends_with('.')
        });
        let is_plain = text.len() <= MAX_EMAIL_CHARS && !text.chars().any(|c| c.is_whitespace() || c.is_control());
        if is_address && is_plain {
            Ok(Self(text))
        } else {
            Err(refused("not_an_email", "Enter a full e-mail address, such as ana@example.com."))
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Email {
    type Error = FieldError;

    fn try_from(text: String) -> Result<Self, FieldError> {
        Self::parse(&text)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> String {
        email.0
    }
}

impl std::fmt::Display for FieldError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

/// The minimum length of a password.
pub const MIN_PASSWORD_CHARS: usize = 12;
const MAX_PASSWORD_BYTES: usize = 1024;

/// Checks the length of a new password. The server also refuses one that is easy to guess.
///
/// # Errors
/// If it is too short, or so long that hashing it could be used to keep the server busy.
pub fn check_new_password(password: &str) -> Result<(), FieldError> {
    let refused = |code, detail: &str| Err(FieldError::new(Field::Password, code, detail));
    if text::count(password) < MIN_PASSWORD_CHARS {
        return refused("too_short", "Use at least 12 characters. A few words in a row make a good password.");
    }
    if password.len() > MAX_PASSWORD_BYTES {
        return refused("too_long", "Use at most 1024 bytes.");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_that_the_audit_log_uses_is_reserved() {
        for bad in
            ["Operator", " OPERATOR ", "unknown", "Ana (super user)", "Ana (SUPER USER)", "Ben (Admin)", "Mia (member)"]
        {
            assert_eq!(parse_person_name(bad).unwrap_err().code, "reserved", "{bad:?}");
        }
        for fine in ["Ana", "Olga Operator", "Ana (Lisbon)", "The operator of it", "(super user) Ana"] {
            assert_eq!(parse_person_name(fine).as_deref(), Ok(fine));
        }
    }

    #[test]
    fn email_addresses_are_lower_case() {
        assert_eq!(Email::parse(" Ana@Example.COM ").unwrap().as_str(), "ana@example.com");
        for bad in ["", "ana", "@example.com", "ana@", "ana@.com", "a na@example.com", "ana@example.com."] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn passwords_are_long() {
        assert!(check_new_password("correct horse").is_ok());
        assert_eq!(check_new_password("hunter2").unwrap_err().code, "too_short");
        assert_eq!(check_new_password(&"x".repeat(1025)).unwrap_err().code, "too_long");
    }
}
