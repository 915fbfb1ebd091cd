//! Why a use case was refused, in text that every surface can show.

use std::{fmt, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use domain::{field::FieldErrors, key::Key};
use store::{Failure, StoreError};
use verify::LookUpError;

/// The kind of the missing object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    Tenant,
    Person,
    Key,
    Property,
    Group,
    Invitation,
    Permission,
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tenant => "tenant",
            Self::Person => "person",
            Self::Key => "key",
            Self::Property => "property",
            Self::Group => "group",
            Self::Invitation => "invitation",
            Self::Permission => "permission",
        })
    }
}

/// A key that another admin changed first: its current state, who changed it, and when.
#[derive(Debug)]
pub struct Changed {
    pub current: Key,
    pub by: String,
    pub at: DateTime<Utc>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Also the answer for what belongs to another tenant.
    #[error("There is no such {0}.")]
    NotFound(Thing),
    #[error("{0}")]
    Invalid(#[from] FieldErrors),
    #[error("The tenant uses all of its {limit} keys. Revoke a key that is no longer used, or have the limit raised.")]
    LimitReached { limit: u32 },
    #[error("You use all of your {limit} keys. Withdraw one that is no longer used.")]
    OwnLimitReached { limit: u32 },
    #[error("The key was revoked, which cannot be undone. Generate a new key.")]
    Revoked,
    #[error("{} changed this key while you were editing. Your changes were not saved. Review the current version, and \
        try again.", .0.by)]
    Changed(Box<Changed>),
    #[error(
        "{by} changed this {thing} while you were editing. Your changes were not saved. Review the current version, and try again."
    )]
    Outdated { thing: Thing, by: String },
    #[error("Only the tenant's admins can do this.")]
    NotAnAdmin,
    #[error("Only super users can do this.")]
    NotASuperUser,
    #[error("Only the key’s owner can do this.")]
    NotTheOwner,
    #[error("A super user belongs to no tenant, and has no API keys.")]
    NoKeysOfTheirOwn,
    #[error(
        "{} a second factor. Set it up under Security first.",
        if *.by_installation { "Super users of this installation need" } else { "Your organization asks for" }
    )]
    MfaEnrollmentRequired { by_installation: bool },
    /// The password, and a code if there is a second factor, must have been entered recently.
    #[error("Confirm that it is you, then try again.")]
    StepUpRequired { needs_code: bool },
    /// The session was live when the request arrived.
    #[error("Your session has ended. Sign in again.")]
    SessionEnded,
    /// The person may no longer act in the capacity that they had when the request arrived.
    #[error("Your access changed before this could be saved, so nothing was changed. Reload the page.")]
    AccessChanged,
    #[error("The subscription does not include API keys.")]
    NoSubscription,
    #[error("The e-mail address or the password is wrong.")]
    WrongCredentials,
    /// Shown to the operator only.
    #[error(
        "Several people have the address {email} ({}). Add --tenant with a slug, or --super-user.",
        .owners.join(", ")
    )]
    AmbiguousEmail { email: String, owners: Vec<String> },
    /// The password is right, and a code of the second factor has to come with it.
    #[error("Enter the code that your authenticator app shows.")]
    CodeNeeded,
    #[error("Too many attempts. Try again in {} minutes.", .retry_after.as_secs().div_ceil(60))]
    TooManyAttempts { retry_after: Duration },
    #[error(
        "You have made too many changes within a minute. Nothing was changed. Try again in {} seconds.",
        .retry_after.as_secs() + 1
    )]
    TooManyChanges { retry_after: Duration },
    /// A refusal that has no fields to point at.
    #[error("{0}")]
    Refused(String),
    /// The database failed; what it said is for the log, not for the caller.
    #[error("The database cannot be reached. Nothing was changed; try again in a moment.")]
    Unavailable(#[source] Arc<dyn std::error::Error + Send + Sync>),
    #[error("The database's disk is full. Nothing was changed. Free some space on the server, then try again.")]
    DiskFull(#[source] StoreError),
    /// The database failed while it committed, or its answer was lost.
    #[error(
        "The database failed while it saved the change. Check whether the change took effect before you try again."
    )]
    OutcomeUnknown(#[source] StoreError),
}

impl From<StoreError> for Error {
    fn from(cause: StoreError) -> Self {
        match cause.failure() {
            Failure::OutcomeUnknown => Self::OutcomeUnknown(cause),
            Failure::DiskFull => Self::DiskFull(cause),
            Failure::Unavailable => Self::Unavailable(Arc::new(cause)),
        }
    }
}

impl Error {
    /// Returns the text for the log, with the cause that the message to the person leaves out.
    #[must_use]
    pub fn root_cause(&self) -> &(dyn std::error::Error + 'static) {
        match self {
            Self::Unavailable(cause) => cause.as_ref(),
            Self::DiskFull(cause) | Self::OutcomeUnknown(cause) => cause,
            other => other,
        }
    }

    /// Why a person may not call a function, for the log.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::NotAnAdmin => "not_an_admin",
            Self::NotASuperUser => "not_a_super_user",
            Self::NotTheOwner => "not_the_owner",
            Self::NoKeysOfTheirOwn => "no_keys_of_their_own",
            Self::MfaEnrollmentRequired { .. } => "second_factor_required",
            _ => "not_allowed",
        }
    }
}

impl From<LookUpError> for Error {
    fn from(cause: LookUpError) -> Self {
        match cause {
            LookUpError::Source(cause) => Self::Unavailable(cause),
            LookUpError::NoLease => Self::Unavailable(Arc::new(cause)),
        }
    }
}
