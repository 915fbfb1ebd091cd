//! A server that the machine has stopped, or killed, delays a change for as long as its lease could go on, once.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, TransactionTrait};
use test_support::{
    program::{Program, shell_on},
    test_app::{Base, Key},
};
use tokio::task::JoinHandle;

use super::cluster::{Cluster, Demand, SOON, SURFACES, Surface, Verdict};

/// The maximum length of a lease, plus the drift of two clocks.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(2);

/// The maximum duration of a command without delays on a busy machine: less than any delay.
const COMMAND: Duration = Duration::from_millis(1_500);

/// The time after which the database aborts an idle transaction and releases its locks.
const MAX_SILENCE: Duration = Duration::from_secs(1);

fn time_to_revoke(cluster: &Cluster, key: &Key) -> Duration {
    let begun = Instant::now();
    cluster.app.revoke(key);
    begun.elapsed()
}

fn revoke_concurrently(cluster: &Cluster, key: &Key) -> JoinHandle<()> {
    let (database_url, id) = (cluster.app.program.database_url.clone(), key.id.clone());
    tokio::task::spawn_blocking(move || {
        assert!(shell_on(&database_url, &["key", "revoke", &id], "").status.success());
    })
}

/// Sends requests to a stopped node, which answers them when it resumes, before it can receive any news.
async fn first_words(cluster: &Cluster, sleeper: &Program, key: &Key, times: usize) -> Vec<Verdict> {
    let any = Demand::default();
    let ask = async {
        let mut verdict = Vec::new();
        for _ in 0..times {
            verdict.push(cluster.says(sleeper, Surface::Verify, &key.secret, &any).await);
        }
        verdict
    };
    let (answers, ()) = tokio::join!(ask, async {
        // The request has been sent by now.
        tokio::time::sleep(Duration::from_millis(100)).await;
        sleeper.signal("CONT");
    });
    answers
}

/// The usage of a key is written with its row locked. What else has to be written is kept from it until the server
/// sleeps.
async fn stop_in_the_middle_of_writing(cluster: &Cluster, sleeper: &Program, key: &Key) {
    let connection = cluster.app.connection().await;
    let obstacle = connection.begin().await.unwrap();
    obstacle.execute_unprepared("LOCK TABLE usage_event IN SHARE MODE").await.unwrap();
    cluster.assert_cached(&[Surface::Key], &key.secret, &Demand::default()).await;
    let waiting = "SELECT DISTINCT mode FROM pg_locks WHERE relation = 'usage_event'::regclass AND NOT granted";
    cluster.app.see(waiting, &["RowExclusiveLock".to_owned()]).await;
    sleeper.signal("STOP");
    obstacle.rollback().await.unwrap();
    connection.close().await.unwrap();
}

async fn wait_until_admitted_by(cluster: &Cluster, node: &Program, key: &Key) {
    let begun = Instant::now();
    while cluster.says(node, Surface::Verify, &key.secret, &Demand::default()).await != Verdict::Valid {
        assert!(begun.elapsed() < SOON, "it does not come back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test_support::requires(postgres, programs)]
#[tokio::test(flavor = "multi_thread")]
async fn paused_server_resumes_with_an_empty_cache() {
    let (cluster, any) = (Cluster::start(Base::Postgres), Demand::default());
    let sleeper = &cluster.others[1];
    let [first, second, kept] = [cluster.key(&[]), cluster.key(&[]), cluster.key(&[])];
    for key in [&first, &second, &kept] {
        cluster.assert_cached(&SURFACES, &key.secret, &any).await;
    }
    sleeper.signal("STOP");
    let took = time_to_revoke(&cluster, &first);
    assert!(took >= CHANGE_TIMEOUT, "the change did not wait for the paused server: {took:?}");
    // It may have been stopped in the middle of a write, too.
    assert!(took <= MAX_SILENCE + CHANGE_TIMEOUT + COMMAND, "{took:?}");
    let took = time_to_revoke(&cluster, &second);
    assert!(took <= COMMAND, "the next change is delayed, too: {took:?}");

    for verdict in first_words(&cluster, sleeper, &first, 200).await {
        assert_ne!(verdict, Verdict::Valid, "of a key that was revoked while it slept");
    }
    wait_until_admitted_by(&cluster, sleeper, &kept).await;
    for key in [&first, &second] {
        cluster.assert_rejected(&SURFACES, &key.secret, &any, "it was revoked").await;
    }
    let took = time_to_revoke(&cluster, &kept);
    assert!(took <= COMMAND, "it is awake: {took:?}");
    cluster.assert_rejected(&SURFACES, &kept.secret, &any, "it was revoked").await;
}

/// The rows that it has locked are ones that a change needs, too.
#[test_support::requires(postgres, programs)]
#[tokio::test(flavor = "multi_thread")]
async fn server_paused_during_a_write_releases_its_locks() {
    let cluster = Cluster::around(Base::Postgres.start(), 0);
    let (sleeper, any) = (&cluster.app.program, Demand::default());
    let [key, kept] = [cluster.key(&[]), cluster.key(&[])];
    for key in [&key, &kept] {
        cluster.assert_cached(&SURFACES, &key.secret, &any).await;
    }
    stop_in_the_middle_of_writing(&cluster, sleeper, &key).await;
    let took = time_to_revoke(&cluster, &key);
    assert!(took <= MAX_SILENCE + CHANGE_TIMEOUT + COMMAND, "{took:?}");
    for verdict in first_words(&cluster, sleeper, &key, 50).await {
        assert_ne!(verdict, Verdict::Valid, "of a key that was revoked while it slept");
    }
    wait_until_admitted_by(&cluster, sleeper, &kept).await;
    cluster.assert_rejected(&SURFACES, &key.secret, &any, "it was revoked").await;
}

const NAP: Duration = Duration::from_millis(700);

/// A nap that ends before the lease does: then the change waits for no longer than that.
#[test_support::requires(postgres, programs)]
#[tokio::test(flavor = "multi_thread")]
async fn change_waits_for_a_paused_server() {
    let (cluster, any) = (Cluster::start(Base::Postgres), Demand::default());
    let (sleeper, key) = (&cluster.others[0], cluster.key(&[]));
    cluster.assert_cached(&SURFACES, &key.secret, &any).await;
    sleeper.signal("STOP");
    let revoking = revoke_concurrently(&cluster, &key);
    tokio::time::sleep(NAP).await;
    assert!(!revoking.is_finished(), "the change did not wait");
    sleeper.signal("CONT");
    let woken = Instant::now();
    revoking.await.unwrap();
    let waited_on = woken.elapsed();
    cluster.assert_rejected(&SURFACES, &key.secret, &any, "it was revoked").await;
    assert!(waited_on < CHANGE_TIMEOUT - NAP, "the server had resumed: {waited_on:?}");
}

/// A caller that learns that the change was already made can rely on it as well.
#[test_support::requires(postgres, programs)]
#[tokio::test(flavor = "multi_thread")]
async fn repeated_change_waits_for_confirmation_too() {
    let (cluster, any) = (Cluster::start(Base::Postgres), Demand::default());
    let (sleeper, key) = (&cluster.others[0], cluster.key(&[]));
    cluster.assert_cached(&SURFACES, &key.secret, &any).await;
    sleeper.signal("STOP");
    let begun = Instant::now();
    let first = revoke_concurrently(&cluster, &key);
    let is_revoked = format!("SELECT (revoked_at IS NOT NULL)::text FROM api_key WHERE id = '{}'", key.id);
    cluster.app.see(&is_revoked, &["true".to_owned()]).await;
    cluster.app.revoke(&key);
    let took = begun.elapsed();
    assert!(took >= CHANGE_TIMEOUT, "the change returned while the paused server could still accept the key: {took:?}");
    first.await.unwrap();
    sleeper.signal("CONT");
}

#[test_support::requires(postgres, programs)]
#[tokio::test(flavor = "multi_thread")]
async fn dead_server_delays_one_change_at_most() {
    let (mut cluster, any) = (Cluster::start(Base::Postgres), Demand::default());
    let [first, second, third] = [cluster.key(&[]), cluster.key(&[]), cluster.key(&[])];
    for key in [&first, &second, &third] {
        cluster.assert_cached(&SURFACES, &key.secret, &any).await;
    }
    cluster.others.pop().expect("there are two").kill();
    let took = time_to_revoke(&cluster, &first);
    assert!(took <= CHANGE_TIMEOUT + COMMAND, "{took:?}");
    let took = time_to_revoke(&cluster, &second);
    assert!(took <= COMMAND, "it was taken off the list: {took:?}");
    let (_folder, status) = cluster.others.pop().expect("there is one left").stop();
    assert!(status.success());
    let took = time_to_revoke(&cluster, &third);
    assert!(took <= COMMAND, "a clean shutdown deregisters the node: {took:?}");
    for key in [&first, &second, &third] {
        cluster.assert_rejected(&SURFACES, &key.secret, &any, "it was revoked").await;
    }
}
