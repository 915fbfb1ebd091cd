//! The connection to PostgreSQL breaks while a change is committed: the outcome is unknown, and the answer says so instead
//! of "nothing was changed".

use serde_json::json;
use tempfile::TempDir;

use super::{
    cluster::{Cluster, Demand, Face, Said},
    disk::WriteOutcome,
    postgres::Postgres,
    program::{Program, shell_on},
    stage::{Stage, day},
    wire::{LostCommit, Wire},
};

const FROM_MEMORY: [Face; 3] = [Face::Verify, Face::Key, Face::Gateway];

/// Text that occurs only in the transaction of a change that nodes must hear of.
const CHANGE: &str = "latchkey_change";

async fn revoke_and_lose(lost: LostCommit) {
    let postgres = Postgres::start();
    let wire = Wire::to(&postgres.url()).await;
    let stage = Stage::on(Program::launch(TempDir::new().unwrap(), postgres.url(), &[]));
    let (cluster, any) = (Cluster::around(stage, 1), Demand::default());
    let key = cluster.key(&[]);
    cluster.know(&FROM_MEMORY, &key.secret, &any).await;
    wire.lose_commit(CHANGE, lost);
    let (url, id) = (wire.url.clone(), key.id.clone());
    let output = tokio::task::spawn_blocking(move || shell_on(&url, &["key", "revoke", &id, "--json"], ""));
    assert_eq!(WriteOutcome::of(&output.await.unwrap()), WriteOutcome::Unknown);
    let said = cluster.all_say(&FROM_MEMORY, &key.secret, &any).await;
    for (node, face, said) in said {
        match lost {
            LostCommit::Answer => assert!(matches!(said, Said::Refused(_)), "{face:?} at {node}: {said:?}"),
            LostCommit::Request => assert_eq!(said, Said::Valid, "{face:?} at {node}"),
        }
    }
    cluster.stage.revoke(&key);
    cluster.refuse(&FROM_MEMORY, &key.secret, &any, "it was revoked once more").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revocation_whose_commit_is_not_answered_is_reported_as_unknown_and_applied_by_all_nodes() {
    revoke_and_lose(LostCommit::Answer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revocation_whose_commit_does_not_arrive_is_reported_as_unknown() {
    revoke_and_lose(LostCommit::Request).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reservation_whose_commit_is_not_answered_is_reported_as_unknown() {
    let postgres = Postgres::start();
    let wire = Wire::to(&postgres.url()).await;
    let stage = Stage::on(Program::launch(TempDir::new().unwrap(), wire.url.clone(), &[]));
    let property = stage.property("acme", "Harbour House");
    let service = stage.service("acme", &property, "Room", 5);
    let key = stage.key(&[]);
    let guest = "Lost Answer";
    let reservation = json!({
        "property_id": property, "service_id": service, "guest": { "name": guest, "email": "guest@example.test" },
        "arrival": day(10), "departure": day(11), "units": 1,
    });
    wire.lose_commit(guest, LostCommit::Answer);
    let answer = stage.post("/api/v1/reservations", &key.secret, &reservation).await;
    answer.refused(503, "outcome_unknown").says("Check whether the change took effect");
    let found = stage.get("/api/v1/reservations", &key.secret).await.good();
    assert_eq!(found["data"][0]["guest"]["name"], guest, "it was made");
}
