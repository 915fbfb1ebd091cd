//! Closes connections that cannot be used again.
//!
//! sqlx returns a connection to its pool even after errors, and does not notice two states: a PostgreSQL server that
//! disappeared without closing the connection, which the kernel reports after a quarter of an hour, and a transaction
//! that SQLite has rolled back by itself or failed to roll back, after which sqlx nests every later transaction inside
//! one that is never committed.

use std::time::Duration;

use sea_orm::{
    ConnectOptions,
    sqlx::{Connection, Error, Executor, PgConnection, SqliteConnection},
};
use tokio::time::timeout;

/// A database that answers at all answers sooner. Where it does not, a new connection is no worse.
const DB_PING_TIMEOUT: Duration = Duration::from_millis(500);

/// Pings each connection before it is used and after it, and closes those that do not answer.
pub fn check_postgres_connections(options: &mut ConnectOptions) {
    options.map_sqlx_postgres_pool_opts(|pool| {
        pool.test_before_acquire(false)
            .before_acquire(|connection, _| Box::pin(answers(connection)))
            .after_release(|connection, _| Box::pin(answers(connection)))
    });
}

async fn answers(connection: &mut PgConnection) -> Result<bool, Error> {
    timeout(DB_PING_TIMEOUT, connection.ping()).await.unwrap_or(Err(Error::PoolTimedOut)).map(|()| true)
}

/// Closes each connection that is still inside a transaction when it is returned, or when it is to be used again.
pub(crate) fn check_sqlite_connections(options: &mut ConnectOptions) {
    options.map_sqlx_sqlite_pool_opts(|pool| {
        pool.test_before_acquire(false)
            .before_acquire(|connection, _| Box::pin(is_outside_transaction(connection)))
            .after_release(|connection, _| Box::pin(is_outside_transaction(connection)))
    });
}

/// Compares what SQLite says with what sqlx believes: `BEGIN` fails inside a transaction, and a transaction that SQLite
/// ended by itself still counts in sqlx's depth. Pending rollbacks are carried out first.
async fn is_outside_transaction(connection: &mut SqliteConnection) -> Result<bool, Error> {
    connection.execute("BEGIN; ROLLBACK").await?;
    Ok(!connection.is_in_transaction())
}
