//! Reading from the database, and the transactions that write.

use std::sync::Arc;

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, IsolationLevel, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::Result;

/// One database: a file of SQLite's, or a PostgreSQL server.
#[derive(Clone)]
pub(crate) struct Database {
    connection: DatabaseConnection,
    /// SQLite has one writer at a time; whoever wants to be it waits here in line instead of polling the file.
    turn: Option<Arc<Mutex<()>>>,
}

impl Database {
    pub(crate) fn new(connection: DatabaseConnection, turn: Option<Arc<Mutex<()>>>) -> Self {
        Self { connection, turn }
    }

    /// For what only reads.
    pub(super) fn on(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// A transaction that can write, and with it the turn to do so.
    pub(crate) async fn begin(&self) -> Result<Writing> {
        let (turn, options) = match &self.turn {
            Some(turn) => (Some(turn.clone().lock_owned().await), on_sqlite()),
            None => (None, on_postgres()),
        };
        Ok(Writing { transaction: self.begin_to_the_end(options).await?, _turn: turn })
    }

    /// Also when whoever asked leaves meanwhile: dropped when it has begun, a transaction is rolled back. Dropped while
    /// it begins, sqlx would give its connection to the next one with the transaction still open.
    async fn begin_to_the_end(&self, options: TransactionOptions) -> Result<DatabaseTransaction> {
        let connection = self.connection.clone();
        let beginning = tokio::spawn(async move { connection.begin_with_options(options).await });
        Ok(beginning.await.map_err(|ended| DbErr::Custom(ended.to_string()))??)
    }
}

/// Nobody else writes from its beginning on.
fn on_sqlite() -> TransactionOptions {
    let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
    TransactionOptions { sqlite_transaction_mode, ..TransactionOptions::default() }
}

/// Whoever has waited for a row has to see what was written meanwhile, whatever the server's default is.
fn on_postgres() -> TransactionOptions {
    TransactionOptions { isolation_level: Some(IsolationLevel::ReadCommitted), ..TransactionOptions::default() }
}

/// A transaction. Dropped, it changes nothing.
pub(crate) struct Writing {
    transaction: DatabaseTransaction,
    /// After the transaction, so that it is over before the next writer's begins.
    _turn: Option<OwnedMutexGuard<()>>,
}

impl Writing {
    pub(super) fn on(&self) -> &DatabaseTransaction {
        &self.transaction
    }

    pub(crate) async fn commit(self) -> Result<()> {
        Ok(self.transaction.commit().await?)
    }
}
