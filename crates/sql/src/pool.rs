//! The pool of connections to one database.

use std::{path::Path, sync::Arc, time::Duration};

use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, IsolationLevel,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::Mutex;

use crate::{
    CommitError, WriteTransaction,
    connection_health::{check_postgres_connections, check_sqlite_connections},
};

const SQLITE: &str = "sqlite://";
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_SQLITE_CONNECTIONS: u32 = 4;
const MAX_POSTGRES_CONNECTIONS: u32 = 20;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// A process that stalls inside a transaction would keep its locks, such as those on the keys whose usage it writes.
const POSTGRES_IDLE_TRANSACTION_TIMEOUT: (&str, &str) = ("idle_in_transaction_session_timeout", "1s");

/// A pool of connections to one database: an SQLite file, or a PostgreSQL server. Cheap to clone.
#[derive(Clone)]
pub struct Pool {
    connection: DatabaseConnection,
    backend: Backend,
}

#[derive(Clone)]
enum Backend {
    /// Has one writer at a time. Writers wait for this lock, in order, instead of polling the file.
    Sqlite {
        write_lock: Arc<Mutex<()>>,
    },
    Postgres {
        url: Arc<str>,
    },
}

impl Pool {
    /// Opens `sqlite://path/to/file` (created when it is missing) or `postgres://…`.
    ///
    /// # Errors
    /// If the address is of neither kind or nothing answers there.
    pub async fn open(url: &str) -> Result<Self, DbErr> {
        if let Some(path) = Self::sqlite_path(url) {
            return Self::open_sqlite(path).await;
        }
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            let advice = "a database is sqlite://path/to/file or postgres://user@host/name".to_owned();
            return Err(DbErr::Custom(advice));
        }
        let mut options = ConnectOptions::new(url);
        options.max_connections(MAX_POSTGRES_CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT).sqlx_logging(false);
        options.map_sqlx_postgres_opts(|postgres| postgres.options([POSTGRES_IDLE_TRANSACTION_TIMEOUT]));
        check_postgres_connections(&mut options);
        let connection = sea_orm::Database::connect(options).await?;
        Ok(Self { connection, backend: Backend::Postgres { url: url.into() } })
    }

    async fn open_sqlite(path: &Path) -> Result<Self, DbErr> {
        let mut options = ConnectOptions::new(format!("{SQLITE}{}?mode=rwc", path.display()));
        options.max_connections(MAX_SQLITE_CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT).sqlx_logging(false);
        options.map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(SQLITE_BUSY_TIMEOUT)
                .foreign_keys(true)
        });
        check_sqlite_connections(&mut options);
        let connection = sea_orm::Database::connect(options).await?;
        Ok(Self { connection, backend: Backend::Sqlite { write_lock: Arc::default() } })
    }

    /// The file that holds the data, when the address is one of SQLite's.
    #[must_use]
    pub fn sqlite_path(url: &str) -> Option<&Path> {
        let path = url.strip_prefix(SQLITE)?;
        Some(Path::new(path.split('?').next().unwrap_or(path)))
    }

    /// The address of the server, when other processes can use the database as well.
    #[must_use]
    pub fn postgres_url(&self) -> Option<&str> {
        match &self.backend {
            Backend::Sqlite { .. } => None,
            Backend::Postgres { url } => Some(url),
        }
    }

    /// For reading outside of a transaction.
    #[must_use]
    pub fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Begins a transaction that can write. On SQLite no other write transaction exists until it ends.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn begin_write(&self) -> Result<WriteTransaction, DbErr> {
        let (write_lock, options) = match &self.backend {
            Backend::Sqlite { write_lock } => {
                let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
                let options = TransactionOptions { sqlite_transaction_mode, ..TransactionOptions::default() };
                (Some(write_lock.clone().lock_owned().await), options)
            }
            Backend::Postgres { .. } => {
                // A statement that waited for a row must see what was committed in the meantime, independently of the
                // server's default.
                let isolation_level = Some(IsolationLevel::ReadCommitted);
                (None, TransactionOptions { isolation_level, ..TransactionOptions::default() })
            }
        };
        Ok(WriteTransaction::new(self.begin(options).await?, write_lock))
    }

    /// Begins a transaction that only reads, and sees everything as of one instant.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn begin_read(&self) -> Result<DatabaseTransaction, DbErr> {
        // On SQLite every transaction is a snapshot.
        let isolation_level = self.postgres_url().map(|_| IsolationLevel::RepeatableRead);
        self.begin(TransactionOptions { isolation_level, ..TransactionOptions::default() }).await
    }

    /// Begins a transaction even if the caller is cancelled: dropped afterwards, it is rolled back. Dropped while it
    /// begins, sqlx would return its connection to the pool with the transaction still open.
    async fn begin(&self, options: TransactionOptions) -> Result<DatabaseTransaction, DbErr> {
        let connection = self.connection.clone();
        let begun = tokio::spawn(async move { connection.begin_with_options(options).await });
        begun.await.map_err(|stopped| DbErr::Custom(stopped.to_string()))?
    }

    /// Commits a write to an SQLite file, so that a disk which is full or read-only is noticed. On PostgreSQL the
    /// heartbeat of the node does the same.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub async fn check_writable(&self) -> Result<(), CommitError> {
        if self.postgres_url().is_some() {
            return Ok(());
        }
        let transaction = self.begin_write().await.map_err(CommitError::RolledBack)?;
        // Writes the first page of the file, and no table.
        let written = transaction.on().execute_unprepared("PRAGMA user_version = 0").await;
        written.map_err(CommitError::RolledBack)?;
        transaction.commit().await
    }

    /// Closes the pool.
    ///
    /// # Errors
    /// If the database no longer answers.
    pub async fn close(&self) -> Result<(), DbErr> {
        self.connection.close_by_ref().await
    }
}
