//! A pool on an SQLite file whose writes fail.

use sea_orm::{ConnectionTrait, Statement};
use sql::{CommitError, Pool};
use tempfile::TempDir;

/// More often than a pool has connections.
const MANY_TIMES: usize = 8;

struct TestFile {
    folder: TempDir,
    pool: Pool,
}

impl TestFile {
    async fn create() -> Self {
        let folder = TempDir::new().unwrap();
        let pool = Pool::open(&url(&folder)).await.unwrap();
        let tables = "CREATE TABLE note (text TEXT); \
                      CREATE TABLE parent (id INTEGER PRIMARY KEY); \
                      CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)";
        pool.connection().execute_unprepared(tables).await.unwrap();
        Self { folder, pool }
    }

    /// A transaction that SQLite ends by itself, as it does when the disk is full. Rolling it back fails then.
    async fn fail_to_write(&self) {
        let transaction = self.pool.begin_write().await.unwrap();
        transaction.on().execute_unprepared("INSERT INTO note VALUES ('lost'); ROLLBACK").await.unwrap();
    }

    async fn write(&self, text: &str) -> Result<(), CommitError> {
        let transaction = self.pool.begin_write().await.unwrap();
        transaction.on().execute_unprepared(&format!("INSERT INTO note VALUES ('{text}')")).await.unwrap();
        transaction.commit().await
    }
}

fn url(folder: &TempDir) -> String {
    format!("sqlite://{}/test.db", folder.path().display())
}

async fn notes(pool: &Pool) -> Vec<String> {
    let statement = Statement::from_string(sea_orm::DbBackend::Sqlite, "SELECT text FROM note ORDER BY rowid");
    let rows = pool.connection().query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_after_a_failed_one_are_committed() {
    let file = TestFile::create().await;
    for _ in 0..MANY_TIMES {
        file.fail_to_write().await;
    }
    for number in 0..MANY_TIMES {
        // A dropped transaction before each: nested in one that was left open, its rollback would end nothing.
        drop(file.pool.begin_write().await.unwrap());
        file.write(&number.to_string()).await.unwrap();
    }
    let numbers: Vec<String> = (0..MANY_TIMES).map(|number| number.to_string()).collect();
    assert_eq!(notes(&file.pool).await, numbers);
    let elsewhere = Pool::open(&url(&file.folder)).await.unwrap();
    assert_eq!(notes(&elsewhere).await, numbers, "another process reads what was committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_commit_is_a_refusal_and_releases_the_file() {
    let file = TestFile::create().await;
    let transaction = file.pool.begin_write().await.unwrap();
    transaction.on().execute_unprepared("INSERT INTO child VALUES (1)").await.unwrap();
    let error = transaction.commit().await.unwrap_err();
    assert!(matches!(error, CommitError::RolledBack(_)), "a missing parent is noticed by COMMIT: {error}");
    file.write("next").await.unwrap();
    assert_eq!(notes(&file.pool).await, ["next"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_commit_still_ends_the_transaction() {
    let file = TestFile::create().await;
    let transaction = file.pool.begin_write().await.unwrap();
    transaction.on().execute_unprepared("INSERT INTO note VALUES ('first')").await.unwrap();
    let mut commit = Box::pin(transaction.commit());
    assert!(poll_once(&mut commit).await.is_none(), "COMMIT takes a while");
    drop(commit);
    file.write("second").await.unwrap();
    assert_eq!(notes(&file.pool).await, ["first", "second"]);
}

/// Polls a future once, as a caller does that leaves right afterwards.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}
