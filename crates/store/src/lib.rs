//! The SQL of the engine: entities, queries and transactions. Model in, model out; no cache, no cluster.
//!
//! Every function takes the tenant first, except those that look up by a hash, and those for the operator and super users, who
//! belong to no tenant. What belongs to a tenant is written through an [`AuditedTransaction`] only, which cannot be committed
//! without an audit event.

mod audit;
pub mod cluster;
mod database;
pub mod encryption;
mod entity;
pub mod failed_attempts;
pub mod groups;
pub mod history;
pub mod installation;
pub mod invitations;
pub mod key_records;
pub mod keys;
pub mod model;
mod pagination;
pub mod people;
pub mod properties;
pub mod ready;
pub mod recovery_codes;
pub mod secret_keys;
pub mod sessions;
pub mod tenants;
pub mod usage;

use std::time::Duration;

use tokio::time::timeout;

pub use audit::{
    AuditedTransaction, Chain, Event, LockedChain, RecordedTransaction, Subject, last_change, log as audit_log,
    verify as audit_verify,
};
pub use database::Database;
/// A connection, or a transaction.
pub use sea_orm::ConnectionTrait as Connection;
use sql::CommitError;

pub use secret_keys::{ParseSecretKeysError, SecretKeys, generate_secret_key};

use secret_keys::DecryptError;

/// What the database said. It is logged once, where an answer is made of it, and never shown.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    Database(#[from] sea_orm::DbErr),
    #[error("the outcome of a change is unknown: {0}")]
    OutcomeUnknown(#[source] sea_orm::DbErr),
    #[error("the database holds {what} that cannot be read: {value:?}")]
    Unreadable { what: &'static str, value: String },
    #[error("{what} of {row} cannot be decrypted: {cause}")]
    Undecryptable { what: &'static str, row: String, cause: DecryptError },
    #[error("the database was opened without its secret keys")]
    NoSecretKeys,
    #[error("the database did not answer in time")]
    TooLate,
    #[error("a task of the change stopped: {0}")]
    Stopped(String),
}

impl StoreError {
    /// Whether the database refused to write because its disk is full.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Database(error) => sql::is_disk_full(error),
            _ => false,
        }
    }
}

impl From<CommitError> for StoreError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::RolledBack(cause) => Self::Database(cause),
            CommitError::OutcomeUnknown(cause) => Self::OutcomeUnknown(cause),
        }
    }
}

pub type Result<T> = std::result::Result<T, StoreError>;

/// Fails with [`StoreError::TooLate`] when the database takes longer than `limit`.
pub async fn within<T>(limit: Duration, query: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(limit, query).await.unwrap_or(Err(StoreError::TooLate))
}

/// Reads a value that this program once wrote.
fn readable<T, E>(what: &'static str, value: &str, parsed: std::result::Result<T, E>) -> Result<T> {
    parsed.map_err(|_| StoreError::Unreadable { what, value: value.to_owned() })
}

/// A list as one column keeps it: a line each.
fn to_lines<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn from_lines<T, E>(
    what: &'static str,
    text: &str,
    parse: impl Fn(&str) -> std::result::Result<T, E>,
) -> Result<Vec<T>> {
    text.lines().map(|line| readable(what, line, parse(line))).collect()
}

/// Whether a statement failed because a value that has to be unique was there already.
fn is_taken(error: &sea_orm::DbErr) -> bool {
    matches!(error.sql_err(), Some(sea_orm::SqlErr::UniqueConstraintViolation(_)))
}

/// An insert, or the news that its unique value is taken.
fn inserted<T>(result: std::result::Result<T, sea_orm::DbErr>) -> Result<bool> {
    match result {
        Ok(_) => Ok(true),
        Err(error) if is_taken(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
