//! A connection can die without a word, as when the machine of the database is gone or a firewall has forgotten it.
//! Nothing comes back on it then, and the kernel gives it up after a quarter of an hour. Meanwhile it would hold its
//! place among the connections, because it is asked for a sign of life before it is used again.

use std::time::Duration;

use sea_orm::{
    ConnectOptions,
    sqlx::{Connection, Error, PgConnection},
};
use tokio::time::timeout;

/// A database that answers at all answers sooner. Where it does not, a new connection is no worse.
const PATIENCE: Duration = Duration::from_millis(500);

/// Asks each connection before it is used and after it, and does without those that say nothing.
pub(super) fn demand(options: &mut ConnectOptions) {
    options.map_sqlx_postgres_pool_opts(|pool| {
        pool.test_before_acquire(false)
            .before_acquire(|connection, _| Box::pin(of(connection)))
            .after_release(|connection, _| Box::pin(of(connection)))
    });
}

async fn of(connection: &mut PgConnection) -> Result<bool, Error> {
    timeout(PATIENCE, connection.ping()).await.unwrap_or(Err(Error::PoolTimedOut)).map(|()| true)
}
