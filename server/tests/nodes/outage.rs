//! Without a database, servers answer from their cache while their lease lasts, and refuse afterwards.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, TransactionTrait};
use tempfile::TempDir;
use test_support::{
    program::{Program, shell_on},
    test_app::{Answer, TestApp},
};

use super::{
    cluster::{Cluster, Demand, SOON, Surface, Verdict, made_up_secret},
    network_partition::Wire,
    postgres::Postgres,
};

/// Those that need nothing but what is in memory.
const FROM_MEMORY: [Surface; 3] = [Surface::Verify, Surface::Key, Surface::Gateway];

const LEASE: Duration = Duration::from_millis(1_800);

/// The delay between a database's failure and the server's noticing it.
const APART: Duration = Duration::from_millis(100);

fn two_servers_on(postgres: &Postgres) -> Cluster {
    Cluster::around(TestApp::on(Program::launch(TempDir::new().unwrap(), postgres.url(), &[])), 1)
}

async fn readiness(node: &Program) -> Answer {
    Answer::of(node.stranger().get("/readyz").await).await
}

/// Waits until it answers with this status.
async fn readiness_becomes(node: &Program, status: u16) -> Answer {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = readiness(node).await;
        if answer.status == status {
            return answer;
        }
        assert!(Instant::now() < deadline, "{}: {}", answer.status, answer.text);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Verifies the key continuously until it has been rejected for a while.
async fn leases_end(cluster: &Cluster, secret: &str, gone: Instant) {
    let mut last_good = None;
    loop {
        let begun = gone.elapsed();
        for (node, surface, verdict) in cluster.verdicts(&FROM_MEMORY, secret, &Demand::default()).await {
            assert!(!matches!(verdict, Verdict::Refused(_)), "{surface:?} at {node} after {begun:?}: {verdict:?}");
            if verdict == Verdict::Valid {
                assert!(begun < LEASE + APART, "{surface:?} at {node} lets it in after {begun:?}");
                last_good = Some(begun);
            }
        }
        if begun > LEASE + APART + SOON {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let last_good = last_good.expect("keys in memory are answered at first");
    assert!(last_good > Duration::from_millis(500), "a lease outlives a renewal that fails: {last_good:?}");
}

async fn without_the_database(leave: impl Fn(&mut Postgres), come_back: impl Fn(&mut Postgres)) {
    let mut postgres = Postgres::start();
    let (cluster, any) = (two_servers_on(&postgres), Demand::default());
    let (key, doomed) = (cluster.key(&[]), cluster.key(&[]));
    for key in [&key, &doomed] {
        cluster.assert_cached(&FROM_MEMORY, &key.secret, &any).await;
    }
    assert_eq!(readiness(&cluster.app.program).await.status, 200);

    leave(&mut postgres);
    let gone = Instant::now();
    let (database_url, id) = (cluster.app.program.database_url.clone(), doomed.id.clone());
    let revoking = tokio::task::spawn_blocking(move || shell_on(&database_url, &["key", "revoke", &id], ""));
    leases_end(&cluster, &key.secret, gone).await;
    for node in cluster.nodes() {
        readiness(node).await.refused(503, "unavailable").says("The database does not respond");
    }
    assert!(
        !revoking.is_finished() || !revoking.await.unwrap().status.success(),
        "the revocation cannot have succeeded"
    );

    come_back(&mut postgres);
    cluster.wait_until_admitted(&FROM_MEMORY, &key.secret, "the database came back").await;
    for node in cluster.nodes() {
        assert_eq!(readiness(node).await.status, 200);
    }
    cluster.app.revoke(&doomed);
    cluster.assert_rejected(&FROM_MEMORY, &doomed.secret, &any, "it was revoked").await;
}

#[test_support::requires(postgres, programs)]
#[tokio::test(flavor = "multi_thread")]
async fn stopped_database_stops_service_and_recovers() {
    without_the_database(Postgres::stop, Postgres::start_again).await;
}

#[test_support::requires(postgres, programs)]
#[tokio::test(flavor = "multi_thread")]
async fn hanging_database_stops_service_and_recovers() {
    without_the_database(|postgres| postgres.freeze(), |postgres| postgres.thaw()).await;
}

/// Simulates that the database's host disappeared and another one took over.
#[test_support::requires(postgres, programs)]
#[tokio::test(flavor = "multi_thread")]
async fn silently_dead_connections_are_replaced() {
    let postgres = Postgres::start();
    let network_partition = Wire::to(&postgres.url()).await;
    let cluster =
        Cluster::around(TestApp::on(Program::launch(TempDir::new().unwrap(), network_partition.url.clone(), &[])), 0);
    let (key, any) = (cluster.key(&[]), Demand::default());
    cluster.assert_cached(&FROM_MEMORY, &key.secret, &any).await;
    let unknown: Vec<_> = (0..10).map(|_| cluster.key(&[])).collect();
    let ears = "SELECT count(*)::text FROM pg_stat_activity WHERE query LIKE 'LISTEN%'";
    cluster.app.see(ears, &["1".to_owned()]).await;

    network_partition.fall_silent();
    // Detecting the failure takes this long.
    tokio::time::sleep(LEASE).await;
    cluster.wait_until_admitted(&FROM_MEMORY, &key.secret, "its connections fell silent").await;
    for key in unknown {
        let verdict = cluster.says(&cluster.app.program, Surface::Verify, &key.secret, &any).await;
        assert_eq!(verdict, Verdict::Valid, "it asks for it over a silent connection");
    }
    // The old one is still open, as far as the database knows.
    cluster.app.see(ears, &["2".to_owned()]).await;
}

/// A standby that takes over may have missed the latest changes, and gives their numbers to others.
#[test_support::requires(postgres, programs)]
#[tokio::test(flavor = "multi_thread")]
async fn restored_database_is_trusted_again() {
    let postgres = Postgres::start();
    let (cluster, any) = (two_servers_on(&postgres), Demand::default());
    let [first, second] = [cluster.key(&[]), cluster.key(&[])];
    cluster.app.revoke(&first);
    cluster.assert_cached(&FROM_MEMORY, &second.secret, &any).await;
    cluster
        .app
        .change_database(
            "BEGIN; DELETE FROM auth_change WHERE rev = (SELECT rev FROM auth_epoch); \
             UPDATE auth_epoch SET rev = rev - 1; UPDATE node_lease SET applied = (SELECT rev FROM auth_epoch); COMMIT",
        )
        .await;
    cluster.app.revoke(&second);
    cluster
        .assert_rejected(&FROM_MEMORY, &second.secret, &any, "it was revoked by a number that had been another's")
        .await;
}

/// The database answers, but the lease cannot be renewed.
#[test_support::requires(postgres, programs)]
#[tokio::test(flavor = "multi_thread")]
async fn missing_lease_is_reported() {
    let postgres = Postgres::start();
    let cluster = two_servers_on(&postgres);
    cluster.app.change_database("ALTER TABLE node_lease RENAME TO elsewhere").await;
    for node in cluster.nodes() {
        let answer = readiness_becomes(node, 503).await;
        answer.refused(503, "unavailable").says("lease");
        assert_eq!(answer.header("retry-after"), "1");
    }
    cluster.app.change_database("ALTER TABLE elsewhere RENAME TO node_lease").await;
    for node in cluster.nodes() {
        readiness_becomes(node, 200).await;
    }
}

#[test_support::requires(postgres, programs)]
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_look_ups_of_an_absent_key_share_one_query() {
    let postgres = Postgres::start();
    let cluster = two_servers_on(&postgres);
    let any = Demand::default();
    let nobodys = made_up_secret(0);
    // The asker's own key and the tenant are in memory from now on.
    cluster.assert_cached(&[Surface::Verify], &cluster.key(&[]).secret, &any).await;
    let before = postgres.statements_with("api_key_secret");
    let connection = cluster.app.connection().await;
    let obstacle = connection.begin().await.unwrap();
    obstacle.execute_unprepared("LOCK TABLE api_key_secret").await.unwrap();
    let (answers, ()) = tokio::join!(cluster.verdicts(&[Surface::Verify; 50], &nobodys, &any), async {
        // All requests have been sent by now, and none is answered.
        tokio::time::sleep(SOON).await;
        obstacle.rollback().await.unwrap();
    });
    connection.close().await.unwrap();
    for (.., verdict) in answers {
        assert_eq!(verdict, Verdict::Refused("NOT_FOUND".to_owned()));
    }
    let each = cluster.nodes().count();
    assert_eq!(postgres.statements_with("api_key_secret") - before, each, "one for each server");
}
