//! Form errors, field by field, in text for the person who filled in the form.

use serde::{Deserialize, Serialize};

/// A field of a form, named on the wire as the column it fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    Name,
    Description,
    Group,
    Scopes,
    Properties,
    ExpiresAt,
    AllowedIps,
    AllowedOrigins,
    RateLimitPerMinute,
    Grace,
    Email,
    Password,
    Slug,
    KeyLimit,
    TimeZone,
    Permissions,
    Role,
    Groups,
    Code,
    CurrentPassword,
    AdminName,
    Actor,
    Subject,
    From,
    To,
}

impl Field {
    /// The field as it is written on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Description => "description",
            Self::Group => "group",
            Self::Scopes => "scopes",
            Self::Properties => "properties",
            Self::ExpiresAt => "expires_at",
            Self::AllowedIps => "allowed_ips",
            Self::AllowedOrigins => "allowed_origins",
            Self::RateLimitPerMinute => "rate_limit_per_minute",
            Self::Grace => "grace",
            Self::Email => "email",
            Self::Password => "password",
            Self::Slug => "slug",
            Self::KeyLimit => "key_limit",
            Self::TimeZone => "time_zone",
            Self::Permissions => "permissions",
            Self::Role => "role",
            Self::Groups => "groups",
            Self::Code => "code",
            Self::CurrentPassword => "current_password",
            Self::AdminName => "admin_name",
            Self::Actor => "actor",
            Self::Subject => "subject",
            Self::From => "from",
            Self::To => "to",
        }
    }
}

/// An error of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    pub field: Field,
    /// For programs: stable, lower case.
    pub code: String,
    /// For people: what is wrong and what to write instead.
    pub detail: String,
}

impl FieldError {
    #[must_use]
    pub fn new(field: Field, code: &str, detail: impl Into<String>) -> Self {
        Self { field, code: code.to_owned(), detail: detail.into() }
    }
}

/// All errors of a form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldErrors(pub Vec<FieldError>);

impl FieldErrors {
    /// Returns the errors of one field.
    pub fn of(&self, field: Field) -> impl Iterator<Item = &FieldError> {
        self.0.iter().filter(move |error| error.field == field)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Two parts of a form, or what is wrong with either.
    ///
    /// # Errors
    /// If one of them is wrong.
    pub fn both<A, B>(one: Result<A, Self>, other: Result<B, Self>) -> Result<(A, B), Self> {
        match (one, other) {
            (Ok(one), Ok(other)) => Ok((one, other)),
            (Err(mut wrong), Err(more)) => {
                wrong.0.extend(more.0);
                Err(wrong)
            }
            (Err(wrong), Ok(_)) | (Ok(_), Err(wrong)) => Err(wrong),
        }
    }

    /// The value of a field that parsed, or nothing and its errors kept.
    pub fn collect<T>(&mut self, parsed: Result<T, impl Into<Self>>) -> Option<T> {
        parsed.map_err(|errors| self.0.extend(errors.into().0)).ok()
    }
}

impl From<FieldError> for FieldErrors {
    fn from(error: FieldError) -> Self {
        Self(vec![error])
    }
}

impl From<Vec<FieldError>> for FieldErrors {
    fn from(errors: Vec<FieldError>) -> Self {
        Self(errors)
    }
}

/// All the errors on one line, for a shell.
impl std::fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{}: {}", error.field.as_str(), error.detail)?;
        }
        Ok(())
    }
}

impl std::error::Error for FieldErrors {}
