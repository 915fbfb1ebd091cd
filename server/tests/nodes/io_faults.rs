//! Every write and sync of a revocation fails once: what is acknowledged stays, what is refused changes nothing, and the
//! next attempt succeeds without a restart.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;
use test_support::{
    databases::sqlite_in,
    program::Program,
    test_app::{Key, TestApp},
};

use super::{
    cluster::{Cluster, Demand, SURFACES, Surface, Verdict},
    disk::WriteOutcome,
};

const EIO: i64 = 5;
const ENOSPC: i64 = 28;

/// A revocation takes fewer writes than this.
const MAX_WRITES: i64 = 200;

/// Fails chosen writes of the program that it is loaded into.
struct Faults {
    library: PathBuf,
    control: PathBuf,
}

impl Faults {
    fn build(folder: &Path) -> Self {
        let (library, control) = (folder.join("io_faults.so"), folder.join("io_faults"));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/nodes/io_faults.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl");
        assert!(compiler.status().unwrap().success(), "the C compiler failed");
        fs::write(&control, [0; 24]).unwrap();
        Self { library, control }
    }

    fn env(&self) -> [(&str, &Path); 2] {
        [("LD_PRELOAD", &self.library), ("LATCHKEY_IO_FAULTS", &self.control)]
    }

    /// Lets the write with this number fail, counted from now.
    fn arm(&self, number: i64, error: i64) {
        let numbers = [number, error, 0].map(i64::to_ne_bytes).concat();
        File::options().write(true).open(&self.control).unwrap().write_all_at(&numbers, 0).unwrap();
    }

    /// Disarms the fault and returns true if it occurred.
    fn disarm(&self) -> bool {
        let mut countdown = [0; 8];
        File::open(&self.control).unwrap().read_exact_at(&mut countdown, 0).unwrap();
        self.arm(0, 0);
        i64::from_ne_bytes(countdown) == 0
    }
}

async fn said_of(cluster: &Cluster, key: &Key) -> Verdict {
    cluster.says(&cluster.app.program, Surface::Verify, &key.secret, &Demand::default()).await
}

async fn failed_writes_of_a_revocation(error: i64) {
    let (folder, tools) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let faults = Faults::build(tools.path());
    let database_url = sqlite_in(&folder);
    let app = TestApp::on(Program::launch_with_env(folder, database_url.clone(), &[], &faults.env()));
    app.program.command(&["tenant", "set", "--slug", "acme", "--key-limit", "1000"]);
    let (cluster, any) = (Cluster::around(app, 0), Demand::default());
    let (mut revoked, mut kept, mut failures) = (Vec::new(), Vec::new(), 0);
    for number in 1..=MAX_WRITES {
        let key = cluster.key(&[]);
        cluster.assert_cached(&[Surface::Verify], &key.secret, &any).await;
        faults.arm(number, error);
        let output = cluster.app.program.shell(&["key", "revoke", &key.id, "--json"], "");
        let was_met = faults.disarm();
        let (outcome, verdict) = (WriteOutcome::of(&output), said_of(&cluster, &key).await);
        match outcome {
            WriteOutcome::Done => assert!(matches!(verdict, Verdict::Refused(_)), "write {number}: {verdict:?}"),
            WriteOutcome::Refused => assert_eq!(verdict, Verdict::Valid, "write {number} was refused"),
            WriteOutcome::Unknown => {}
        }
        failures += usize::from(outcome != WriteOutcome::Done);
        if outcome == WriteOutcome::Refused && number % 2 == 0 {
            kept.push(key);
        } else {
            cluster.app.revoke(&key);
            revoked.push(key);
        }
        if !was_met {
            break;
        }
        assert!(number < MAX_WRITES, "a revocation takes fewer writes");
    }
    assert!(failures > 2, "no write failed: {failures}");

    let Cluster { app, asker, .. } = cluster;
    let program = Program::launch(app.program.kill(), database_url, &[]);
    let cluster = Cluster { app: TestApp::around(program), others: Vec::new(), asker };
    for key in &revoked {
        cluster.assert_rejected(&SURFACES, &key.secret, &any, "it was revoked, and the server was killed").await;
    }
    for key in &kept {
        cluster.assert_cached(&[Surface::Verify], &key.secret, &any).await;
    }
    let reports = cluster.command(&["audit", "verify", "--tenant", "acme"]);
    assert!(reports[0]["fault"].is_null(), "{reports}");
}

#[test_support::requires(postgres, programs)]
#[tokio::test(flavor = "multi_thread")]
async fn failed_write_never_loses_a_revocation() {
    failed_writes_of_a_revocation(EIO).await;
}

#[test_support::requires(postgres, programs)]
#[tokio::test(flavor = "multi_thread")]
async fn full_disk_at_any_write_never_loses_a_revocation() {
    failed_writes_of_a_revocation(ENOSPC).await;
}
