//! `cargo xtask soak`: three servers on one PostgreSQL, under full load while keys are made, edited, rotated and revoked
//! at any of them. Each answer is held against what had been acknowledged, and what was counted against what was asked.

use crate::{
    Result, Workspace,
    harness::{DEFAULT_MEMORY_MIB, Program, Programs, secret_key},
    process,
    scratch::Scratch,
    services::Postgres,
    setup::{self, Tool},
    steal_time,
};
use std::process::Command;

pub const TEN_MINUTES: &str = "600";
const A_MINUTE: &str = "60";

/// In percent. A second without a processor ends a lease that was about to be renewed, and with it every answer until it
/// is: that is as it has to be, and nothing to test without having the processors.
const MAX_SOAK_STOLEN_PERCENT: f64 = 1.0;

const SOAK_NODES: usize = 3;
/// Enough of them that none reaches its limit.
const SOAK_KEYS: u64 = 1_500;

/// The program as it is released.
pub fn command(workspace: &Workspace, seconds: &str) -> Result<()> {
    setup::programs(&[Tool::Postgres])?;
    run(&Programs::build(workspace)?, seconds)
}

/// A minute of it, with the program as the other tests have it.
pub fn briefly(workspace: &Workspace) -> Result<()> {
    run(&Programs::of_tests(workspace)?, A_MINUTE)
}

fn run(programs: &Programs, seconds: &str) -> Result<()> {
    let (postgres, scratch) = (Postgres::start()?, Scratch::new("soak")?);
    let (url, report) = (postgres.url(), scratch.path().join("report.json"));
    let secrets = programs.fill(scratch.path(), &url, "soak", SOAK_KEYS)?;
    let start = |_| Program::latchkey(&programs.latchkey, &url, DEFAULT_MEMORY_MIB);
    let nodes: Vec<Program> = (0..SOAK_NODES).map(start).collect::<Result<_>>()?;
    let mut soak = Command::new(&programs.bench);
    soak.args(["soak", "--database-url", &url, "--seconds", seconds]);
    soak.arg("--secrets").arg(secrets).arg("--report").arg(&report);
    secret_key::name(&mut soak, &url)?;
    for node in &nodes {
        soak.args(["--node", &format!("http://{}", node.address)]);
    }
    let ((), steal_time) = steal_time::during(|| process::run(&mut soak))?;
    nodes.into_iter().try_for_each(Program::stop)?;
    let mut counts = Command::new(&programs.bench);
    counts.args(["counts", "--database-url", &url, "--report"]).arg(&report);
    secret_key::name(&mut counts, &url)?;
    if steal_time > MAX_SOAK_STOLEN_PERCENT {
        eprintln!("{steal_time:.0} % of the processors' time was taken away: not everything may have been answered");
        counts.arg("--starved");
    }
    process::run(&mut counts)
}
