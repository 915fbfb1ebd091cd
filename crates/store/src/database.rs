//! The engine's database: a pool, and the secret keys.

use std::sync::{Arc, PoisonError, RwLock};

use sea_orm::{DatabaseConnection, DatabaseTransaction};
use sql::{DatabaseUrl, Pool, WriteTransaction};

use super::{Result, StoreError};
use crate::secret_keys::SecretKeys;

/// One database: an SQLite file, or a PostgreSQL server.
pub struct Database {
    pool: Pool,
    /// None until it is known whether they fit. A rotation replaces them.
    secret_keys: RwLock<Option<Arc<SecretKeys>>>,
}

impl Database {
    /// Opens `sqlite://path/to/file` (created when it is missing) or `postgres://…`.
    ///
    /// # Errors
    /// If the address is of neither kind or nothing answers there.
    pub async fn open(url: impl Into<DatabaseUrl>) -> Result<Self> {
        Ok(Self { pool: Pool::open(url).await?, secret_keys: RwLock::default() })
    }

    /// For crates that keep tables of their own in the same database.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// For reading outside of a transaction, and for the migrations.
    #[must_use]
    pub fn connection(&self) -> &DatabaseConnection {
        self.pool.connection()
    }

    pub fn use_secret_keys(&self, keys: SecretKeys) {
        *self.secret_keys.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(keys));
    }

    pub fn secret_keys(&self) -> Result<Arc<SecretKeys>> {
        let keys = self.secret_keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.clone().ok_or(StoreError::NoSecretKeys)
    }

    /// Returns true if other processes can use the same database.
    pub fn is_shared(&self) -> bool {
        self.pool.is_shared()
    }

    /// Begins a transaction that can write.
    pub(super) async fn begin(&self) -> Result<WriteTransaction> {
        Ok(self.pool.begin_write().await?)
    }

    /// Begins a transaction that only reads, and sees everything as of one instant.
    pub async fn snapshot(&self) -> Result<DatabaseTransaction> {
        Ok(self.pool.begin_read().await?)
    }

    /// Commits a write, so that a disk which is full or read-only is noticed.
    pub async fn check_writable(&self) -> Result<()> {
        Ok(self.pool.check_writable().await?)
    }

    /// Closes the connections.
    ///
    /// # Errors
    /// If the database no longer answers.
    pub async fn close(&self) -> Result<()> {
        Ok(self.pool.close().await?)
    }
}
