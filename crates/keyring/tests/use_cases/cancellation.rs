//! A caller may be cancelled at any moment before it gets its answer.

use std::{
    thread,
    time::{Duration, Instant},
};

use domain::usage::UsageQuery;

use super::fixture::TestKeyring;

/// Longer than a rollback takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

/// sqlx would give the connection to the next one, with the transaction open in which nothing that is written lasts.
#[test_support::requires(postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn abandoned_transaction_is_rolled_back() {
    let app = TestKeyring::on_postgres().await;
    let tenant = app.tenant("acme").await;
    let (key, query) = (app.generate(&tenant, "PMS").await.id, UsageQuery::default());
    for micros in (0..2_000).step_by(20) {
        let until_gone = tokio::task::spawn_blocking(move || thread::sleep(Duration::from_micros(micros)));
        tokio::select! {
            usage = app.keyring.key_usage(&tenant, &key, &query) => drop(usage.unwrap()),
            gone = until_gone => gone.unwrap(),
        }
        wait_until_no_transaction_is_open(&app).await;
    }
    // The database ends a session that leaves a transaction open for a second.
    let ended = "SELECT sessions_fatal::text FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(app.texts(ended).await, ["0"], "the database had to end what was left open");
}

async fn wait_until_no_transaction_is_open(app: &TestKeyring) {
    let open = "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in %'";
    let begun = Instant::now();
    while let Some(query) = app.texts(open).await.pop() {
        assert!(begun.elapsed() < DEADLINE, "{query}");
    }
}
