//! Readiness of the database.

use std::time::{Duration, Instant};

use store::{Database, Failure, StoreError};
use tokio::{sync::Mutex, time::timeout};

use crate::Keyring;

/// Long enough for a database that is merely busy.
const READINESS_TIMEOUT: Duration = Duration::from_secs(2);

/// The reason why the database is not ready.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// The database's own message goes to the log.
    #[error("The database does not respond.")]
    Unreachable(#[source] Option<StoreError>),
    #[error("The database cannot be written: its disk is full.")]
    DiskFull(#[source] StoreError),
    #[error("The database cannot be written.")]
    NotWritable(#[source] StoreError),
    #[error("The database is not up to date. Run `latchkey migrate`.")]
    NotMigrated(#[source] StoreError),
    #[error("The server's lease has expired, so it cannot use its cache.")]
    NoLease,
}

impl Keyring {
    /// Asks the database whether it is there and has a schema.
    ///
    /// # Errors
    /// Says what is missing.
    pub async fn ready(&self) -> Result<(), NotReady> {
        let asked = timeout(READINESS_TIMEOUT, async {
            store::ready::answers(&self.database).await.map_err(|cause| NotReady::Unreachable(Some(cause)))?;
            store::ready::has_schema(&self.database).await.map_err(NotReady::NotMigrated)?;
            self.write_check.run(&self.database).await
        });
        asked.await.unwrap_or(Err(NotReady::Unreachable(None)))?;
        if self.lease_remaining() == Some(Duration::ZERO) { Err(NotReady::NoLease) } else { Ok(()) }
    }
}

/// The time for which a successful write check is reused, so that requests to `/readyz` cannot load the disk.
const WRITE_CHECK_TTL: Duration = Duration::from_secs(1);

/// Commits a write to the database, at most once in [`WRITE_CHECK_TTL`].
#[derive(Default)]
pub(crate) struct WriteCheck(Mutex<Option<Instant>>);

impl WriteCheck {
    async fn run(&self, database: &Database) -> Result<(), NotReady> {
        let mut last_success = self.0.lock().await;
        if last_success.is_some_and(|at| at.elapsed() < WRITE_CHECK_TTL) {
            return Ok(());
        }
        *last_success = None;
        database.check_writable().await.map_err(|cause| match cause {
            cause if cause.failure() == Failure::DiskFull => NotReady::DiskFull(cause),
            cause => NotReady::NotWritable(cause),
        })?;
        *last_success = Some(Instant::now());
        Ok(())
    }
}
