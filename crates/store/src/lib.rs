//! The SQL of the engine: entities, queries and transactions. Model in, model out; no cache, no cluster.
//!
//! Every function takes the tenant first, except those that look up by a hash, and those for the operator and super users, who
//! belong to no tenant. What belongs to a tenant is written through an [`AuditedTransaction`] only, which cannot be committed
//! without an audit event.

mod audit;
pub mod cluster;
mod database;
mod encrypted_columns;
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
pub mod permissions;
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
use sea_orm::{DbErr, SqlErr};
use sql::{CommitError, insert_unless};
pub use sql::{Failure, SqlError};

pub use secret_keys::{ParseSecretKeysError, SecretKeys, generate_secret_key};

use secret_keys::DecryptError;

/// Why the store failed. It is logged once, where a response is made of it, and never shown.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    Sql(#[from] SqlError),
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
    /// Returns the meaning of the error for the person whose request failed.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self {
            Self::Sql(error) => error.failure(),
            _ => Failure::Unavailable,
        }
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        Self::Sql(error.into())
    }
}

impl From<CommitError> for StoreError {
    fn from(error: CommitError) -> Self {
        Self::Sql(error.into())
    }
}

pub type Result<T> = std::result::Result<T, StoreError>;

/// Fails with [`StoreError::TooLate`] when the database takes longer than `limit`.
pub async fn within<T>(limit: Duration, query: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(limit, query).await.unwrap_or(Err(StoreError::TooLate))
}

/// Reads a value that this program once wrote.
fn readable<T, E>(what: &'static str, value: &str, parsed: std::result::Result<T, E>) -> Result<T> {
    Ok(sql::readable(what, value, parsed)?)
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

/// Returns whether a row was inserted, or false if a unique value is taken.
fn inserted<T>(result: std::result::Result<T, DbErr>) -> Result<bool> {
    Ok(insert_unless(result, |violation| matches!(violation, SqlErr::UniqueConstraintViolation(_)))?)
}
