//! Connections and transactions, shared by the crates that keep tables of their own in the database.
//!
//! A connection that is left inside a transaction is closed instead of being handed to the next caller, a transaction
//! survives the cancellation of the future that began or commits it, and a failed commit says whether the outcome is
//! known.

mod connection_health;
mod error;
mod pool;
mod reachable;
mod rows;
mod transaction;
mod url;

pub use error::{CommitError, Failure, SqlError};
pub use pool::{Pool, use_postgres_url};
pub use rows::{insert_unless, readable};
pub use transaction::WriteTransaction;
pub use url::DatabaseUrl;

/// Makes a pool close PostgreSQL connections that no longer answer.
pub use connection_health::check_postgres_connections;
