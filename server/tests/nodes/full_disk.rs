//! A disk that is full for a while: writes are refused, reads go on, and afterwards everything works without a restart.

use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use test_support::{
    databases::sqlite_in,
    program::{Program, shell_on},
    test_app::{Answer, Key, TestApp},
};

use super::{
    cluster::{Cluster, Demand, SURFACES, Surface},
    disk::{SmallDisk, WriteOutcome},
    postgres::Postgres,
};

/// More failures than a pool has connections.
const FAILURES: usize = 6;

/// Surfaces that answer from the cache and read nothing else.
const FROM_MEMORY: [Surface; 3] = [Surface::Verify, Surface::Key, Surface::Gateway];

const DEADLINE: Duration = Duration::from_secs(20);

struct KeyLog {
    created: Vec<Key>,
    unknown: usize,
}

/// Creates keys until the disk is too full for that, several times.
fn create_keys_until_refused(database_url: &str) -> KeyLog {
    let mut log = KeyLog { created: Vec::new(), unknown: 0 };
    let mut refused = 0;
    for number in 0.. {
        assert!(number < 1_000, "the disk does not fill up");
        let name = format!("Full {number}");
        let words = ["key", "create", "--tenant", "acme", "--name", &name, "--group", "Full access", "--json"];
        let output = shell_on(database_url, &words, "");
        match WriteOutcome::of(&output) {
            WriteOutcome::Done => log.created.push(Key::of(&serde_json::from_slice(&output.stdout).unwrap())),
            WriteOutcome::Refused => refused += 1,
            WriteOutcome::Unknown => log.unknown += 1,
        }
        if refused >= FAILURES {
            break;
        }
    }
    log
}

async fn readiness(node: &Program) -> Answer {
    Answer::of(node.stranger().get("/readyz").await).await
}

async fn wait_until_ready(node: &Program) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let answer = readiness(node).await;
        if answer.status == 200 {
            return;
        }
        assert!(Instant::now() < deadline, "{}", answer.text);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn names_of_keys(program: &Program) -> Vec<String> {
    let keys = program.command(&["key", "list", "--tenant", "acme"]);
    let names = keys.as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap().to_owned());
    names.filter(|name| name.starts_with("Full ")).collect()
}

#[test_support::requires(postgres, programs)]
#[tokio::test(flavor = "multi_thread")]
async fn full_disk_loses_no_revocation_on_sqlite() {
    let folder = TempDir::new().unwrap();
    let disk = SmallDisk::mount(&folder.path().join("data"), "8m");
    let database_url = sqlite_in(&folder);
    let app = TestApp::on(Program::launch(folder, database_url, &[]));
    app.program.command(&["tenant", "set", "--slug", "acme", "--key-limit", "1000"]);
    let (cluster, any) = (Cluster::around(app, 0), Demand::default());
    let doomed = cluster.key(&[]);
    cluster.assert_cached(&FROM_MEMORY, &doomed.secret, &any).await;

    disk.fill();
    let log = create_keys_until_refused(&cluster.app.program.database_url);
    readiness(&cluster.app.program).await.refused(503, "unavailable").says("disk is full");
    cluster.assert_cached(&FROM_MEMORY, &doomed.secret, &any).await;

    disk.free();
    wait_until_ready(&cluster.app.program).await;
    cluster.app.revoke(&doomed);
    cluster.assert_rejected(&SURFACES, &doomed.secret, &any, "it was revoked").await;
    assert_eq!(log.unknown, 0, "a full disk is a refusal");
    assert_eq!(names_of_keys(&cluster.app.program).len(), log.created.len(), "what was refused left nothing");

    let Cluster { app, asker, .. } = cluster;
    let database_url = app.program.database_url.clone();
    let program = Program::launch(app.program.kill(), database_url, &[]);
    let cluster = Cluster { app: TestApp::around(program), others: Vec::new(), asker };
    cluster.assert_rejected(&SURFACES, &doomed.secret, &any, "it was revoked, and the server was killed").await;
    for key in &log.created {
        cluster.assert_cached(&[Surface::Key], &key.secret, &any).await;
    }
    let report: Value = cluster.command(&["audit", "verify", "--tenant", "acme"]);
    assert!(report[0]["fault"].is_null(), "{report}");
}

#[test_support::requires(postgres, programs)]
#[tokio::test(flavor = "multi_thread")]
async fn full_disk_is_refused_and_recovers_on_postgres() {
    let folder = TempDir::new().unwrap();
    let disk = SmallDisk::mount(&folder.path().join("disk"), "160m");
    let postgres = Postgres::start_on(&folder.path().join("disk"));
    let app = TestApp::on(Program::launch(TempDir::new().unwrap(), postgres.url(), &[]));
    app.program.command(&["tenant", "set", "--slug", "acme", "--key-limit", "1000"]);
    let (cluster, any) = (Cluster::around(app, 1), Demand::default());
    let doomed = cluster.key(&[]);
    cluster.assert_cached(&FROM_MEMORY, &doomed.secret, &any).await;

    disk.fill();
    let log = create_keys_until_refused(&cluster.app.program.database_url);
    cluster.assert_cached(&FROM_MEMORY, &doomed.secret, &any).await;

    disk.free();
    for node in cluster.nodes() {
        wait_until_ready(node).await;
    }
    cluster.app.revoke(&doomed);
    cluster.assert_rejected(&SURFACES, &doomed.secret, &any, "it was revoked").await;
    let count = names_of_keys(&cluster.app.program).len();
    assert!((log.created.len()..=log.created.len() + log.unknown).contains(&count), "{count}: {}", log.created.len());
}
