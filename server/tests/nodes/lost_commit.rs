//! The connection to PostgreSQL breaks while a change is committed: the outcome is unknown, and the answer says so instead
//! of "nothing was changed".

use serde_json::json;
use tempfile::TempDir;
use test_support::{
    program::{Program, shell_on},
    test_app::{TestApp, day},
};

use super::{
    cluster::{Cluster, Demand, Surface, Verdict},
    disk::WriteOutcome,
    network_partition::{LostCommit, Wire},
    postgres::Postgres,
};

const FROM_MEMORY: [Surface; 3] = [Surface::Verify, Surface::Key, Surface::Gateway];

/// Text that occurs only in the transaction of a change that nodes must hear of.
const CHANGE: &str = "latchkey_change";

async fn revoke_and_lose(lost: LostCommit) {
    let postgres = Postgres::start();
    let network_partition = Wire::to(&postgres.url()).await;
    let app = TestApp::on(Program::launch(TempDir::new().unwrap(), postgres.url(), &[]));
    let (cluster, any) = (Cluster::around(app, 1), Demand::default());
    let key = cluster.key(&[]);
    cluster.assert_cached(&FROM_MEMORY, &key.secret, &any).await;
    network_partition.lose_commit(CHANGE, lost);
    let (url, id) = (network_partition.url.clone(), key.id.clone());
    let output = tokio::task::spawn_blocking(move || shell_on(&url, &["key", "revoke", &id, "--json"], ""));
    assert_eq!(WriteOutcome::of(&output.await.unwrap()), WriteOutcome::Unknown);
    let verdict = cluster.verdicts(&FROM_MEMORY, &key.secret, &any).await;
    for (node, surface, verdict) in verdict {
        match lost {
            LostCommit::Answer => assert!(matches!(verdict, Verdict::Refused(_)), "{surface:?} at {node}: {verdict:?}"),
            LostCommit::Request => assert_eq!(verdict, Verdict::Valid, "{surface:?} at {node}"),
        }
    }
    cluster.app.revoke(&key);
    cluster.assert_rejected(&FROM_MEMORY, &key.secret, &any, "it was revoked once more").await;
}

#[test_support::requires(postgres, programs)]
#[tokio::test(flavor = "multi_thread")]
async fn revocation_whose_commit_is_not_answered_is_reported_as_unknown_and_applied_by_all_nodes() {
    revoke_and_lose(LostCommit::Answer).await;
}

#[test_support::requires(postgres, programs)]
#[tokio::test(flavor = "multi_thread")]
async fn revocation_whose_commit_does_not_arrive_is_reported_as_unknown() {
    revoke_and_lose(LostCommit::Request).await;
}

#[test_support::requires(postgres, programs)]
#[tokio::test(flavor = "multi_thread")]
async fn reservation_whose_commit_is_not_answered_is_reported_as_unknown() {
    let postgres = Postgres::start();
    let network_partition = Wire::to(&postgres.url()).await;
    let app = TestApp::on(Program::launch(TempDir::new().unwrap(), network_partition.url.clone(), &[]));
    let property = app.property("acme", "Harbour House");
    let service = app.service("acme", &property, "Room", 5);
    let key = app.key(&[]);
    let guest = "Lost Answer";
    let reservation = json!({
        "property_id": property, "service_id": service, "guest": { "name": guest, "email": "guest@example.test" },
        "arrival": day(10), "departure": day(11), "units": 1,
    });
    network_partition.lose_commit(guest, LostCommit::Answer);
    let answer = app.post("/api/v1/reservations", &key.secret, &reservation).await;
    answer.refused(503, "outcome_unknown").says("Check whether the change took effect");
    let found = app.get("/api/v1/reservations", &key.secret).await.good();
    assert_eq!(found["data"][0]["guest"]["name"], guest, "it was made");
}
