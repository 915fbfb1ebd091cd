//! Transactions that write.

use sea_orm::{DatabaseTransaction, DbErr};
use tokio::sync::OwnedMutexGuard;

use crate::CommitError;

/// A transaction that can write. Dropped, it changes nothing.
pub struct WriteTransaction {
    transaction: DatabaseTransaction,
    /// Declared after the transaction, so that it is rolled back before the next writer begins.
    _write_lock: Option<OwnedMutexGuard<()>>,
}

impl WriteTransaction {
    pub(crate) fn new(transaction: DatabaseTransaction, write_lock: Option<OwnedMutexGuard<()>>) -> Self {
        Self { transaction, _write_lock: write_lock }
    }

    /// The connection inside the transaction.
    #[must_use]
    pub fn on(&self) -> &DatabaseTransaction {
        &self.transaction
    }

    /// Commits, even if the caller is cancelled.
    ///
    /// # Errors
    /// Says whether the transaction was rolled back or its outcome is unknown.
    pub async fn commit(self) -> Result<(), CommitError> {
        let Self { transaction, _write_lock } = self;
        let committed = tokio::spawn(async move {
            let _write_lock = _write_lock;
            transaction.commit().await
        });
        let stopped = |cause: tokio::task::JoinError| CommitError::OutcomeUnknown(DbErr::Custom(cause.to_string()));
        Ok(committed.await.map_err(stopped)??)
    }

    /// Rolls back and reports whether that succeeded.
    ///
    /// # Errors
    /// If the connection fails. The database rolls back by itself in that case.
    pub async fn rollback(self) -> Result<(), DbErr> {
        self.transaction.rollback().await
    }
}
