//! The cluster's tables on PostgreSQL. A SQLite file has one owner, which needs none of them.

use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use domain::cluster::{ChangeRecord, Invalidation, NodeName, Revision, StaleNode};
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, FromQueryResult, Statement, Value,
    sqlx::{Executor, postgres::PgListener},
};
use sql::{DatabaseUrl, SqlError};
use tokio::time::timeout;

use super::{Database, Result, StoreError, within};

/// The channel on which nodes are notified of changes.
const CHANNEL: &str = "latchkey_change";

/// The log is kept for far longer than any node is listed without showing that it lives.
const LOG_KEPT: i64 = 10_000;

/// Every change locks the epoch's row until it commits, so revisions become visible in order and without gaps.
const NEXT_REVISION: &str = "UPDATE auth_epoch SET rev = rev + 1 RETURNING rev";

/// Gives a change its revision, and wakes the nodes once it is committed.
pub async fn append_changes(transaction: &DatabaseTransaction, touched: &[Invalidation]) -> Result<Revision> {
    let mut latest = Revision::default();
    for touched in touched {
        latest = revision(transaction, NEXT_REVISION).await?;
        let words: [Value; 2] = [latest.0.into(), touched.as_str().into()];
        run(transaction, "INSERT INTO auth_change (rev, touched) VALUES ($1, $2)", words).await?;
    }
    run(transaction, "SELECT pg_notify($1, '')", [CHANNEL.into()]).await?;
    Ok(latest)
}

/// Deletes what every node has long applied. The owner of a file keeps no such log.
pub async fn clear_log(database: &Database) -> Result<()> {
    if !database.is_shared() {
        return Ok(());
    }
    let sql = "DELETE FROM auth_change WHERE rev <= (SELECT rev FROM auth_epoch) - $1";
    run(database.connection(), sql, [LOG_KEPT.into()]).await.map(drop)
}

/// The tables of the cluster.
pub struct Tables<'a> {
    connection: &'a DatabaseConnection,
}

impl<'a> Tables<'a> {
    pub fn new(connection: &'a DatabaseConnection) -> Self {
        Self { connection }
    }

    /// Returns the time of the database's clock.
    pub async fn time(&self) -> Result<DateTime<Utc>> {
        time(self.connection).await
    }
}

/// Returns the time of the database's clock, to the millisecond.
pub async fn time(connection: &impl ConnectionTrait) -> Result<DateTime<Utc>> {
    #[derive(FromQueryResult)]
    struct Row {
        now: DateTime<Utc>,
    }
    let row = Row::find_by_statement(statement("SELECT clock_timestamp() AS now", []));
    Ok(row.one(connection).await?.ok_or_else(nothing)?.now.trunc_subsecs(3))
}

/// The revision of the latest change.
pub async fn latest(connection: &impl ConnectionTrait) -> Result<Revision> {
    revision(connection, "SELECT rev FROM auth_epoch").await
}

/// A connection for a node alone, so that it renews its lease however busy the others are.
pub type DedicatedConnection = DatabaseConnection;

pub async fn dedicated_connection(database: &Database, patience: Duration) -> Result<DedicatedConnection> {
    let mut options = ConnectOptions::new(shared_url(database)?.as_str());
    options.max_connections(1).acquire_timeout(patience).connect_lazy(true).sqlx_logging(false);
    sql::check_postgres_connections(&mut options);
    Ok(sea_orm::Database::connect(options).await?)
}

/// Makes a connection that is opened again use the present URL of the database.
pub fn use_present_url(database: &Database, connection: &DedicatedConnection) -> Result<()> {
    Ok(sql::use_postgres_url(connection, &shared_url(database)?)?)
}

fn shared_url(database: &Database) -> Result<DatabaseUrl> {
    let no_cluster = || sea_orm::DbErr::Custom("a SQLite file has no cluster".to_owned());
    Ok(database.pool().postgres_url().ok_or_else(no_cluster)?)
}

/// After so long without a hint, the database is asked for a sign of life. Nor may it take longer to begin to listen.
const LISTEN_IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// Listens for the news that something has changed.
pub struct ChangeListener(PgListener);

impl ChangeListener {
    pub async fn listen(database: &Database) -> Result<Self> {
        let url = shared_url(database)?;
        let listening = async {
            let mut listener = PgListener::connect(url.as_str()).await.map_err(sql)?;
            listener.listen(CHANNEL).await.map_err(sql)?;
            Ok(Self(listener))
        };
        within(LISTEN_IDLE_TIMEOUT, listening).await
    }

    /// Waits for the next one, or for the news that one may have been missed.
    pub async fn next(&mut self) -> Result<()> {
        loop {
            match timeout(LISTEN_IDLE_TIMEOUT, self.0.try_recv()).await {
                Ok(heard) => return heard.map(drop).map_err(sql),
                // A silently dead connection looks like one without notifications.
                Err(_) => within(QUERY_TIMEOUT, self.ping()).await?,
            }
        }
    }

    async fn ping(&mut self) -> Result<()> {
        self.0.execute("SELECT 1").await.map(drop).map_err(sql)
    }
}

/// The maximum time to wait for the other nodes, in any state of the database.
const QUERY_TIMEOUT: Duration = Duration::from_millis(500);

fn sql(error: sea_orm::SqlxError) -> StoreError {
    StoreError::from(sea_orm::DbErr::Conn(sea_orm::RuntimeErr::SqlxError(error.into())))
}

fn nothing() -> StoreError {
    SqlError::Unreadable { what: "the epoch of changes", value: "no row".to_owned() }.into()
}

fn statement(sql: &str, words: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(sea_orm::DbBackend::Postgres, sql, words)
}

/// Returns the number of rows that a statement changed.
async fn run(connection: &impl ConnectionTrait, sql: &str, words: impl IntoIterator<Item = Value>) -> Result<u64> {
    Ok(connection.execute_raw(statement(sql, words)).await?.rows_affected())
}

async fn revision(connection: &impl ConnectionTrait, sql: &str) -> Result<Revision> {
    #[derive(FromQueryResult)]
    struct Row {
        rev: i64,
    }
    let row = Row::find_by_statement(statement(sql, [])).one(connection).await?;
    Ok(Revision(row.ok_or_else(nothing)?.rev))
}

impl Tables<'_> {
    /// Records that a node is alive. Returns false if it is not registered any more.
    pub async fn heartbeat(&self, node: &NodeName) -> Result<bool> {
        let sql = "UPDATE node_lease SET beat = nextval('node_beat'), seen_at = clock_timestamp() WHERE name = $1";
        Ok(run(self.connection, sql, [node.0.as_str().into()]).await? == 1)
    }

    /// Registers a node, which has not applied any change yet.
    pub async fn register(&self, node: &NodeName) -> Result<()> {
        let sql = "INSERT INTO node_lease (name, beat, applied, seen_at) \
                   VALUES ($1, nextval('node_beat'), -1, clock_timestamp()) \
                   ON CONFLICT (name) DO UPDATE SET beat = excluded.beat, applied = -1";
        run(self.connection, sql, [node.0.as_str().into()]).await.map(drop)
    }

    /// Deregisters a node, unless it has sent another heartbeat.
    pub async fn deregister(&self, stale_node: &StaleNode) -> Result<()> {
        let words: [Value; 2] = [stale_node.name.0.as_str().into(), stale_node.heartbeat.into()];
        let sql = "DELETE FROM node_lease WHERE name = $1 AND beat = $2";
        within(QUERY_TIMEOUT, run(self.connection, sql, words)).await.map(drop)
    }

    /// Returns the revision of the latest change.
    pub async fn latest(&self) -> Result<Revision> {
        latest(self.connection).await
    }

    /// Returns the change of a revision and all later ones, in order.
    pub async fn changes_from(&self, first: Revision) -> Result<Vec<ChangeRecord>> {
        #[derive(FromQueryResult)]
        struct Row {
            rev: i64,
            at: DateTime<Utc>,
            touched: String,
        }
        let sql = "SELECT rev, at, touched FROM auth_change WHERE rev >= $1 ORDER BY rev";
        let rows = Row::find_by_statement(statement(sql, [first.0.into()])).all(self.connection).await?;
        let read = |Row { rev, at, touched }| ChangeRecord {
            revision: Revision(rev),
            made_at: at,
            touched: Invalidation::parse(&touched),
        };
        Ok(rows.into_iter().map(read).collect())
    }

    /// Records that a node has applied a revision.
    pub async fn acknowledge(&self, node: &NodeName, applied: Revision) -> Result<()> {
        let words: [Value; 2] = [node.0.as_str().into(), applied.0.into()];
        run(self.connection, "UPDATE node_lease SET applied = $2 WHERE name = $1", words).await.map(drop)
    }

    /// Returns the registered nodes that have not applied a revision yet.
    pub async fn behind(&self, revision: Revision) -> Result<Vec<StaleNode>> {
        #[derive(FromQueryResult)]
        struct Row {
            name: String,
            heartbeat: i64,
        }
        let sql = "SELECT name, beat AS heartbeat FROM node_lease WHERE applied < $1";
        let rows = Row::find_by_statement(statement(sql, [revision.0.into()])).all(self.connection);
        let rows = within(QUERY_TIMEOUT, async { Ok(rows.await?) }).await?;
        Ok(rows.into_iter().map(|row| StaleNode { name: NodeName(row.name), heartbeat: row.heartbeat }).collect())
    }
}
