//! The pool of connections to one database.

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, IsolationLevel, RuntimeErr,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
    sqlx::{
        ConnectOptions as _,
        postgres::PgConnectOptions,
        sqlite::{SqliteJournalMode, SqliteSynchronous},
    },
};
use tokio::sync::Mutex;

use crate::{
    CommitError, DatabaseUrl, WriteTransaction,
    connection_health::{check_postgres_connections, check_sqlite_connections},
    reachable::check_reachable,
};

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
        url: Arc<RwLock<DatabaseUrl>>,
    },
}

impl Pool {
    /// Opens `sqlite://path/to/file` (created when it is missing) or `postgres://…`.
    ///
    /// # Errors
    /// If the address is of neither kind or nothing answers there.
    pub async fn open(url: impl Into<DatabaseUrl>) -> Result<Self, DbErr> {
        let url = url.into();
        if let Some(path) = url.sqlite_path() {
            return Self::open_sqlite(path).await;
        }
        if !url.is_postgres() {
            let advice = "a database is sqlite://path/to/file or postgres://user@host/name".to_owned();
            return Err(DbErr::Custom(advice));
        }
        check_reachable(&postgres_options(url.as_str())?).await?;
        let mut options = ConnectOptions::new(url.as_str());
        options.max_connections(MAX_POSTGRES_CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT).sqlx_logging(false);
        options.map_sqlx_postgres_opts(|postgres| postgres.options([POSTGRES_IDLE_TRANSACTION_TIMEOUT]));
        check_postgres_connections(&mut options);
        let connection = sea_orm::Database::connect(options).await?;
        Ok(Self { connection, backend: Backend::Postgres { url: Arc::new(RwLock::new(url)) } })
    }

    async fn open_sqlite(path: &Path) -> Result<Self, DbErr> {
        let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rwc", path.display()));
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

    /// Returns the URL of the server, if other processes can use the database as well.
    #[must_use]
    pub fn postgres_url(&self) -> Option<DatabaseUrl> {
        match &self.backend {
            Backend::Sqlite { .. } => None,
            Backend::Postgres { url } => Some(url.read().unwrap_or_else(PoisonError::into_inner).clone()),
        }
    }

    /// Returns true if other processes can use the database as well.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self.backend, Backend::Postgres { .. })
    }

    /// Reads the file of the URL again. New connections use what it contains now. Returns true if it has changed.
    ///
    /// # Errors
    /// If the file cannot be read or does not contain a PostgreSQL URL.
    pub fn reload_url(&self) -> Result<bool, DbErr> {
        let Backend::Postgres { url } = &self.backend else { return Ok(false) };
        let current = url.read().unwrap_or_else(PoisonError::into_inner).clone();
        let reread = current.reread().map_err(|cause| DbErr::Custom(format!("cannot read the file: {cause}")))?;
        let Some(changed) = reread else { return Ok(false) };
        let options = postgres_options(changed.as_str())?.options([POSTGRES_IDLE_TRANSACTION_TIMEOUT]);
        self.connection.get_postgres_connection_pool().set_connect_options(options);
        *url.write().unwrap_or_else(PoisonError::into_inner) = changed;
        Ok(true)
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
        let isolation_level = self.is_shared().then_some(IsolationLevel::RepeatableRead);
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
        if self.is_shared() {
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

/// Makes the new connections of another pool use this URL.
///
/// # Errors
/// If it is not a PostgreSQL URL.
pub fn use_postgres_url(connection: &DatabaseConnection, url: &DatabaseUrl) -> Result<(), DbErr> {
    connection.get_postgres_connection_pool().set_connect_options(postgres_options(url.as_str())?);
    Ok(())
}

fn postgres_options(url: &str) -> Result<PgConnectOptions, DbErr> {
    let options: PgConnectOptions =
        url.parse().map_err(|cause: sea_orm::SqlxError| DbErr::Conn(RuntimeErr::SqlxError(cause.into())))?;
    Ok(options.disable_statement_logging())
}
