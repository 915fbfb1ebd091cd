//! Why a call was refused, in text that every surface can show.

use std::fmt;

use chrono::NaiveDate;
use sql::{CommitError, Failure, SqlError};

use crate::field::FieldError;

/// The kind of the missing object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    Property,
    Service,
    Package,
    Reservation,
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Property => "property",
            Self::Service => "service",
            Self::Package => "package",
            Self::Reservation => "reservation",
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Also the answer for what belongs to another tenant or is out of reach.
    #[error("There is no such {0}.")]
    NotFound(Thing),
    /// All errors of a request together.
    #[error("{}", on_one_line(.0))]
    Invalid(Vec<FieldError>),
    /// The first night on which too few units are left.
    #[error("Only {available} of it are left on {date}. Choose other days or fewer units.")]
    SoldOut { date: NaiveDate, available: u32 },
    #[error("This idempotency key was used for another request. Use a new key for each request.")]
    KeyReused,
    #[error("The first request with this idempotency key is still running. Send it again in a moment.")]
    StillRunning,
    /// The caller may have lost the right to reserve while the reservation waited for its turn.
    #[error("The credential changed while the request waited. Nothing was reserved; send it again.")]
    AdmissionChanged,
    /// The database failed; what it said is for the log, not for the caller.
    #[error("The database cannot be reached. Nothing was changed; try again in a moment.")]
    Unavailable(#[source] SqlError),
    #[error("The database's disk is full. Nothing was changed; try again later.")]
    DiskFull(#[source] SqlError),
    /// The database failed while it committed, or its answer was lost.
    #[error(
        "The database failed while it saved the change. Check whether the change took effect before you try again."
    )]
    OutcomeUnknown(#[source] SqlError),
}

impl From<SqlError> for Error {
    fn from(cause: SqlError) -> Self {
        match cause.failure() {
            Failure::OutcomeUnknown => Self::OutcomeUnknown(cause),
            Failure::DiskFull => Self::DiskFull(cause),
            Failure::Unavailable => Self::Unavailable(cause),
        }
    }
}

impl Error {
    /// Returns the text for the log, with the cause that the message to the client leaves out.
    #[must_use]
    pub fn root_cause(&self) -> &(dyn std::error::Error + 'static) {
        match self {
            Self::Unavailable(cause) | Self::DiskFull(cause) | Self::OutcomeUnknown(cause) => cause,
            other => other,
        }
    }
}

impl From<CommitError> for Error {
    fn from(cause: CommitError) -> Self {
        SqlError::from(cause).into()
    }
}

impl From<Vec<FieldError>> for Error {
    fn from(errors: Vec<FieldError>) -> Self {
        Self::Invalid(errors)
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        Self::Invalid(vec![error])
    }
}

fn on_one_line(errors: &[FieldError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
