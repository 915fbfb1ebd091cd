//! Why a person's password or access token was refused.

use std::{fmt, time::Duration};

use chrono::NaiveDate;

use crate::rate_limit::whole_seconds;

/// Why legacy authentication of a person failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LegacyRefusal {
    Retired {
        sunset: NaiveDate,
    },
    WrongCredentials,
    InvalidToken,
    TwoFactorRequired,
    Deactivated,
    /// The tenant's subscription is stopped, which disables its keys as well.
    NoSubscription,
    /// A super user, who belongs to no tenant.
    NoTenant,
    TooManyAttempts {
        retry_after: Duration,
    },
}

impl fmt::Display for LegacyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retired { sunset } => {
                write!(f, "The API has not accepted e-mail and password since {sunset}. Use an API key.")
            }
            Self::WrongCredentials => {
                f.write_str("The e-mail address or the password is wrong. Correct it, or use an API key instead.")
            }
            Self::InvalidToken => f.write_str(
                "The access token is invalid or has expired. Request a new one from /api/v1/auth/token, or use an API \
                 key instead.",
            ),
            Self::TwoFactorRequired => {
                f.write_str("This person signs in with a second factor, which the API cannot ask for. Use an API key.")
            }
            Self::Deactivated => f.write_str("This person is deactivated. Ask an admin, or use an API key."),
            Self::NoSubscription => f.write_str(
                "The organization's subscription does not currently include API access. Passwords and access tokens \
                 will work again once it does.",
            ),
            Self::NoTenant => f.write_str("A super user belongs to no organization. Use an API key of one."),
            Self::TooManyAttempts { retry_after } => {
                write!(f, "Too many attempts. Wait {} seconds.", whole_seconds(*retry_after))
            }
        }
    }
}
