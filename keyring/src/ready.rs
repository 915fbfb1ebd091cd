//! Whether there is a database to work with.

use std::time::Duration;

use tokio::time::timeout;

use crate::{
    Keyring,
    store::{self, StoreError},
};

/// Long enough for a database that is merely busy.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is missing before anything can be done.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// What the database said is for the log.
    #[error("The database does not answer.")]
    Unreachable(#[source] Option<StoreError>),
    #[error("The database is not up to date. Run `latchkey migrate`.")]
    NotMigrated(#[source] StoreError),
    #[error("The lease under which keys are answered from memory is over.")]
    NoLease,
}

impl Keyring {
    /// Asks the database whether it is there and has a schema.
    ///
    /// # Errors
    /// Says what is missing.
    pub async fn ready(&self) -> Result<(), NotReady> {
        let asked = timeout(PATIENCE, async {
            store::ready::answers(&self.database).await.map_err(|cause| NotReady::Unreachable(Some(cause)))?;
            store::ready::has_schema(&self.database).await.map_err(NotReady::NotMigrated)
        });
        asked.await.unwrap_or(Err(NotReady::Unreachable(None)))?;
        if self.lease_remaining() == Some(Duration::ZERO) { Err(NotReady::NoLease) } else { Ok(()) }
    }
}
