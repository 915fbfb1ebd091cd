//! Whoever asked may be gone before there is an answer, at any moment.

use std::{
    thread,
    time::{Duration, Instant},
};

use domain::usage::UsageQuery;

use super::stage::Stage;

/// What is left open, the database breaks off by itself, but not before a second has passed.
const SOON: Duration = Duration::from_millis(800);

/// sqlx would give the connection to the next one, with the transaction open in which nothing that is written lasts.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_nobody_waits_for_any_more_is_over() {
    let stage = Stage::on_postgres().await;
    let tenant = stage.tenant("acme").await;
    let (key, query) = (stage.generate(&tenant, "PMS").await.id, UsageQuery::default());
    for micros in (0..2_000).step_by(20) {
        let until_gone = tokio::task::spawn_blocking(move || thread::sleep(Duration::from_micros(micros)));
        tokio::select! {
            usage = stage.keyring.key_usage(&tenant, &key, &query) => drop(usage.unwrap()),
            gone = until_gone => gone.unwrap(),
        }
        nothing_is_open(&stage).await;
    }
}

async fn nothing_is_open(stage: &Stage) {
    let open = "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in %'";
    let begun = Instant::now();
    while let Some(query) = stage.texts(open).await.pop() {
        assert!(begun.elapsed() < SOON, "{query}");
    }
}
