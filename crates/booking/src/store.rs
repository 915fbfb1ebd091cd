//! The only module of this crate that uses SQL and SeaORM.
//!
//! Every function takes the tenant first, save the one that forgets what is too old of all of them.

mod entity;
pub(crate) mod idempotency;
pub(crate) mod packages;
pub(crate) mod reservations;
pub(crate) mod services;

use sea_orm::{DbErr, SqlErr};
use sql::CommitError;
pub(crate) use sql::{Pool, WriteTransaction};

use crate::Error;

/// What the database said. It is logged once, where an answer is made of it, and never shown.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error("the outcome of a write is unknown: {0}")]
    OutcomeUnknown(#[source] DbErr),
    #[error("the database holds {what} that cannot be read: {value:?}")]
    Unreadable { what: &'static str, value: String },
}

impl From<CommitError> for StoreError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::RolledBack(cause) => Self::Database(cause),
            CommitError::OutcomeUnknown(cause) => Self::OutcomeUnknown(cause),
        }
    }
}

impl From<DbErr> for Error {
    fn from(cause: DbErr) -> Self {
        StoreError::from(cause).into()
    }
}

impl From<CommitError> for Error {
    fn from(cause: CommitError) -> Self {
        StoreError::from(cause).into()
    }
}

pub(crate) type Result<T> = std::result::Result<T, StoreError>;

/// Reads a value that this program once wrote.
fn readable<T, E>(what: &'static str, value: &str, parsed: std::result::Result<T, E>) -> Result<T> {
    parsed.map_err(|_| StoreError::Unreadable { what, value: value.to_owned() })
}

/// A number that is never negative.
fn readable_units(units: i32) -> Result<u32> {
    readable("a number of units", &units.to_string(), u32::try_from(units))
}

/// The number as the tables keep it; the rules keep every number far below.
fn units_column(units: u32) -> i32 {
    i32::try_from(units).unwrap_or(i32::MAX)
}

/// An insert, or the news that it breaks this rule of the table's.
fn inserted<T>(result: std::result::Result<T, DbErr>, breaks: impl Fn(&SqlErr) -> bool) -> Result<bool> {
    match result {
        Ok(_) => Ok(true),
        Err(error) if error.sql_err().is_some_and(|rule| breaks(&rule)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
