//! Measures the time that a revocation takes.

use super::{
    Bench,
    machine::undisturbed,
    table::{Row, percentile},
};
use crate::{
    Result,
    harness::{DEFAULT_MEMORY_MIB, Program, secret_key},
    process,
    services::Postgres,
};
use serde_json::json;
use std::{
    path::Path,
    process::Command,
    slice::Iter,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

const REVOCATION_KEYS: u64 = 1_000;
const REVOKED: u64 = 500;
const MAX_P99_MS: f64 = 50.0;
const REVOCATION_PAUSE: Duration = Duration::from_millis(500);

/// Beside one server and beside three, on a PostgreSQL that knows all of them.
pub fn measure(bench: &mut Bench) -> Result<()> {
    for nodes in [1, 3] {
        let took = undisturbed(|| took(bench, nodes))?;
        let [p50, p99] = [50, 99].map(|percent| percentile(took.iter().copied(), percent));
        let what = format!("revoke, {nodes} node{} on PostgreSQL", if nodes == 1 { "" } else { "s" });
        let row =
            Row::alone(what, format!("p50 {p50:.1} ms, p99 {p99:.1} ms"), json!({ "p50_ms": p50, "p99_ms": p99 }));
        bench.add(if nodes == 3 { row.with_budget("p99 at most 50 ms", p99 <= MAX_P99_MS) } else { row });
    }
    Ok(())
}

/// The latency of each revocation beside this many nodes, in milliseconds.
fn took(bench: &Bench, nodes: usize) -> Result<Vec<f64>> {
    // Without fsync, so that only the communication between the nodes is measured.
    let postgres = Postgres::start()?;
    let secrets = bench.fill(&postgres.url(), "revocations", REVOCATION_KEYS)?;
    let start = |_| Program::latchkey(&bench.programs.latchkey, &postgres.url(), DEFAULT_MEMORY_MIB);
    let running: Vec<Program> = (0..nodes).map(start).collect::<Result<_>>()?;
    let mut revoke = Command::new(&bench.programs.bench);
    revoke.args(["revoke", "--database-url", &postgres.url(), "--keys", &REVOKED.to_string(), "--secrets"]);
    revoke.arg(&secrets);
    secret_key::name(&mut revoke, &postgres.url())?;
    let printed = process::read_output(&mut revoke)?;
    running.into_iter().try_for_each(Program::stop)?;
    Ok(serde_json::from_str(&printed)?)
}

/// Revokes as an operator does, with a command beside the running server.
pub struct Revoker<'a> {
    pub program: &'a Path,
    pub database_url: &'a str,
}

impl Revoker<'_> {
    /// Revokes one key after another for as long as something else runs.
    pub fn beside<T>(&self, ids: &mut Iter<'_, String>, run: impl FnOnce() -> Result<T>) -> Result<T> {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let revoking = scope.spawn(|| self.revoke_until(&over, ids).map_err(|error| error.to_string()));
            let outcome = run();
            over.store(true, Ordering::Relaxed);
            revoking.join().map_err(|_| "the thread that revokes panicked")??;
            outcome
        })
    }

    fn revoke_until(&self, over: &AtomicBool, ids: &mut Iter<'_, String>) -> Result<()> {
        while !over.load(Ordering::Relaxed) {
            let id = ids.next().ok_or("there are no more keys to revoke")?;
            process::read_output(Command::new(self.program).args([
                "key",
                "revoke",
                id,
                "--json",
                "--database-url",
                self.database_url,
            ]))?;
            thread::sleep(REVOCATION_PAUSE);
        }
        Ok(())
    }
}
