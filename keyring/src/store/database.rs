//! Opening the database.

use std::{path::Path, sync::Arc, time::Duration};

use sea_orm::{
    ConnectOptions, DatabaseConnection, DatabaseTransaction, DbErr, IsolationLevel, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{Result, StoreError, sign_of_life};
use crate::{memory::Memory, node::Confirmations};

const SQLITE: &str = "sqlite://";
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const SQLITE_CONNECTIONS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 20;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// A process that stalls in the middle of a transaction keeps what it has locked from everybody else, such as the keys
/// whose usage it writes from whoever revokes them. After so long PostgreSQL breaks it off.
const LONGEST_SILENCE: (&str, &str) = ("idle_in_transaction_session_timeout", "1s");

/// One database: a file of SQLite's, or a PostgreSQL server.
pub struct Database {
    connection: DatabaseConnection,
    confirmed: Arc<Confirmations>,
    kind: Kind,
}

enum Kind {
    /// Has one writer at a time; whoever wants to be it waits here in line instead of polling the file.
    File {
        turn: Arc<Mutex<()>>,
        audience: Audience,
    },
    Server {
        url: String,
    },
}

/// Who believes what they remember of keys, and has to be told of a change before it is answered.
#[derive(Clone)]
pub(super) enum Audience {
    /// This process alone, as it owns the file.
    Ourselves(Option<Arc<Memory>>),
    /// Every node on the same server.
    Nodes(DatabaseConnection),
}

impl Database {
    /// Opens `sqlite://path/to/file` (made when it is missing) or `postgres://…`.
    ///
    /// # Errors
    /// When the address is of neither kind or nothing answers there.
    pub async fn open(url: &str) -> Result<Self> {
        if let Some(path) = Self::file(url) {
            return Self::open_sqlite(path).await;
        }
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            let advice = "a database is sqlite://path/to/file or postgres://user@host/name".to_owned();
            return Err(StoreError::Database(DbErr::Custom(advice)));
        }
        let mut options = ConnectOptions::new(url);
        options.max_connections(POSTGRES_CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT).sqlx_logging(false);
        options.map_sqlx_postgres_opts(|postgres| postgres.options([LONGEST_SILENCE]));
        sign_of_life::demand(&mut options);
        let kind = Kind::Server { url: url.to_owned() };
        Ok(Self { connection: sea_orm::Database::connect(options).await?, confirmed: Arc::default(), kind })
    }

    async fn open_sqlite(path: &Path) -> Result<Self> {
        let mut options = ConnectOptions::new(format!("{SQLITE}{}?mode=rwc", path.display()));
        options.max_connections(SQLITE_CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT).sqlx_logging(false);
        options.map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(SQLITE_BUSY_TIMEOUT)
                .foreign_keys(true)
        });
        let kind = Kind::File { turn: Arc::default(), audience: Audience::Ourselves(None) };
        Ok(Self { connection: sea_orm::Database::connect(options).await?, confirmed: Arc::default(), kind })
    }

    /// The file that holds the data, when the address is one of SQLite's.
    #[must_use]
    pub fn file(url: &str) -> Option<&Path> {
        let path = url.strip_prefix(SQLITE)?;
        Some(Path::new(path.split('?').next().unwrap_or(path)))
    }

    /// For the migrations, which are a crate of their own.
    #[must_use]
    pub fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// The line of SQLite's writers, for another crate that writes to the same file and has to stand in it, too.
    /// PostgreSQL has none.
    #[must_use]
    pub fn writers(&self) -> Option<Arc<Mutex<()>>> {
        match &self.kind {
            Kind::File { turn, .. } => Some(turn.clone()),
            Kind::Server { .. } => None,
        }
    }

    /// Has the owner of a file tell its memory of every change.
    pub(crate) fn tell(&mut self, memory: &Arc<Memory>) {
        if let Kind::File { audience, .. } = &mut self.kind {
            *audience = Audience::Ourselves(Some(memory.clone()));
        }
    }

    /// Where the server is, when it is one that others can reach as well.
    pub(crate) fn shared_with_others(&self) -> Option<&str> {
        match &self.kind {
            Kind::File { .. } => None,
            Kind::Server { url } => Some(url),
        }
    }

    pub(crate) fn confirmed(&self) -> &Arc<Confirmations> {
        &self.confirmed
    }

    pub(super) fn audience(&self) -> Audience {
        match &self.kind {
            Kind::File { audience, .. } => audience.clone(),
            Kind::Server { .. } => Audience::Nodes(self.connection.clone()),
        }
    }

    /// A transaction that can write, and with it the turn to do so.
    pub(super) async fn begin(&self) -> Result<(DatabaseTransaction, Option<OwnedMutexGuard<()>>)> {
        let turn = match self.writers() {
            Some(turn) => Some(turn.lock_owned().await),
            None => None,
        };
        let immediate = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok((self.begin_to_the_end(immediate).await?, turn))
    }

    /// A transaction that only reads, and sees everything as of one instant.
    pub(crate) async fn snapshot(&self) -> Result<DatabaseTransaction> {
        let is_sqlite = self.writers().is_some();
        // On SQLite every transaction is one.
        let isolation_level = (!is_sqlite).then_some(IsolationLevel::RepeatableRead);
        let options = TransactionOptions { isolation_level, ..TransactionOptions::default() };
        self.begin_to_the_end(options).await
    }

    /// Also when whoever asked leaves meanwhile: dropped when it has begun, a transaction is rolled back. Dropped while
    /// it begins, sqlx would give its connection to the next one with the transaction still open.
    async fn begin_to_the_end(&self, options: TransactionOptions) -> Result<DatabaseTransaction> {
        let connection = self.connection.clone();
        let beginning = tokio::spawn(async move { connection.begin_with_options(options).await });
        Ok(beginning.await.map_err(|ended| DbErr::Custom(ended.to_string()))??)
    }

    /// Writes what is pending and lets go.
    ///
    /// # Errors
    /// When the database does not answer any more.
    pub async fn close(&self) -> Result<()> {
        Ok(self.connection.close_by_ref().await?)
    }
}
