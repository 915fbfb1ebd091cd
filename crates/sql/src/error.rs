//! Errors, as far as they make a difference to the caller.

use sea_orm::{DbErr, RuntimeErr, sqlx};

/// Why a transaction was not committed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    #[error("the database rolled back the transaction: {0}")]
    RolledBack(#[source] DbErr),
    /// The database failed while it committed, or its answer was lost. The changes may be there, now or after the
    /// database has recovered.
    #[error("it is unknown whether the transaction was committed: {0}")]
    OutcomeUnknown(#[source] DbErr),
}

impl From<DbErr> for CommitError {
    /// Classifies the error that `COMMIT` returned.
    fn from(error: DbErr) -> Self {
        if is_refusal(&error) { Self::RolledBack(error) } else { Self::OutcomeUnknown(error) }
    }
}

/// The database's own message. It is logged once, where the response is made, and never shown to clients.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error("the outcome of a write is unknown: {0}")]
    OutcomeUnknown(#[source] DbErr),
    #[error("the database holds {what} that cannot be read: {value:?}")]
    Unreadable { what: &'static str, value: String },
}

/// The meaning of a database error for the person whose request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nothing was changed.
    Unavailable,
    /// Nothing was changed.
    DiskFull,
    OutcomeUnknown,
}

impl SqlError {
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self {
            Self::OutcomeUnknown(_) => Failure::OutcomeUnknown,
            Self::Database(error) if is_disk_full(error) => Failure::DiskFull,
            Self::Database(_) | Self::Unreadable { .. } => Failure::Unavailable,
        }
    }
}

impl From<CommitError> for SqlError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::RolledBack(cause) => Self::Database(cause),
            CommitError::OutcomeUnknown(cause) => Self::OutcomeUnknown(cause),
        }
    }
}

/// Returns whether a database refused to write because its disk is full.
fn is_disk_full(error: &DbErr) -> bool {
    match code_of(error) {
        Some(Code::Sqlite(code)) => primary(code) == SQLITE_FULL,
        Some(Code::Postgres(code)) => code == "53100",
        None => false,
    }
}

const SQLITE_BUSY: i32 = 5;
const SQLITE_FULL: i32 = 13;
const SQLITE_CONSTRAINT: i32 = 19;

/// An error with which the database says that it has not committed. An error of input or output is none: SQLite may
/// have written the whole commit before it failed to sync it, and finds it again when it recovers.
fn is_refusal(error: &DbErr) -> bool {
    match code_of(error) {
        Some(Code::Sqlite(code)) => matches!(primary(code), SQLITE_BUSY | SQLITE_FULL | SQLITE_CONSTRAINT),
        // 08: connection failures; 57P: the server shuts down or has crashed; 58 and XX: it is in trouble itself.
        Some(Code::Postgres(code)) => !["08", "57P", "58", "XX"].iter().any(|class| code.starts_with(class)),
        None => false,
    }
}

/// The lowest byte of an extended result code.
fn primary(code: i32) -> i32 {
    code & 0xff
}

enum Code {
    Sqlite(i32),
    Postgres(String),
}

/// The error code of the database itself; `None` when the connection to it failed.
fn code_of(error: &DbErr) -> Option<Code> {
    let (DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause)) = error else { return None };
    let RuntimeErr::SqlxError(cause) = cause else { return None };
    let sqlx::Error::Database(cause) = cause.as_ref() else { return None };
    let code = cause.code()?;
    if cause.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        return code.parse().ok().map(Code::Sqlite);
    }
    Some(Code::Postgres(code.into_owned()))
}
