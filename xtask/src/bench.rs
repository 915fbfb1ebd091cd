//! `cargo xtask bench`: how fast the release program is, beside what axum can do on the same machine in the same
//! run. Nothing here fails for being slow, as that is the machine's as much as ours; a wrong answer does.

pub mod instructions;
mod load;
mod machine;
mod million;
mod revocations;
mod surfaces;
mod table;

use crate::{
    Result, Workspace,
    harness::{DEFAULT_MEMORY_MIB, Program, Programs},
    process,
    scratch::Scratch,
    setup::{self, Tool},
};
use machine::undisturbed;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};
use table::{Row, median, thousands};

/// More than needed: keys that were looked up in vain cannot be used again.
const BENCH_KEYS: u64 = 200_000;
/// The numbers of keys verified in-process: as many as fit the processor's cache, and many more.
const KEYS_INSIDE: [u64; 2] = [1_000, 20_000];
/// The calls per key, within its limit for a minute.
const CALLS_INSIDE: u64 = 200;
const IDLE_STARTS: usize = 5;
const MAX_IDLE_MEMORY_MB: f64 = 40.0;
const MAX_START_MS: f64 = 300.0;
const MAX_VERIFY_NS: f64 = 500.0;

/// The durations of a measurement.
struct Plan {
    rounds: u64,
    seconds: u32,
}

struct Bench {
    programs: Programs,
    plan: Plan,
    scratch: Scratch,
    rows: Vec<Row>,
    /// Answers that were not what they had to be.
    wrong: Vec<String>,
}

pub fn everything(workspace: &Workspace) -> Result<()> {
    setup::programs(&[Tool::Wrk, Tool::Postgres])?;
    let mut bench = Bench::new(workspace, Plan { rounds: 3, seconds: 6 })?;
    let (url, secrets) = bench.usual_keys()?;
    bench.quick_part(&url, &secrets)?;
    million::measure(&mut bench, &url, secrets)?;
    revocations::measure(&mut bench)?;
    bench.report(workspace)
}

/// Runs the bench without the million keys and without PostgreSQL.
pub fn quick(workspace: &Workspace) -> Result<()> {
    setup::programs(&[Tool::Wrk])?;
    let mut bench = Bench::new(workspace, Plan { rounds: 3, seconds: 2 })?;
    let (url, secrets) = bench.usual_keys()?;
    bench.quick_part(&url, &secrets)?;
    bench.report(workspace)
}

impl Bench {
    fn new(workspace: &Workspace, plan: Plan) -> Result<Self> {
        let programs = Programs::build(workspace)?;
        Ok(Self { programs, plan, scratch: Scratch::new("bench")?, rows: Vec::new(), wrong: Vec::new() })
    }

    fn directory(&self) -> &Path {
        self.scratch.path()
    }

    fn sqlite(&self, name: &str) -> String {
        format!("sqlite://{}/{name}.db", self.directory().display())
    }

    /// Fills a database with keys, and returns the file with their secrets.
    fn fill(&self, database_url: &str, name: &str, keys: u64) -> Result<PathBuf> {
        self.programs.fill(self.directory(), database_url, name, keys)
    }

    fn add(&mut self, row: Row) {
        eprintln!("{}: {} {}", row.what, row.measured, row.compared);
        self.rows.push(row);
    }

    /// A database with keys in it, by its address and the file of their secrets.
    fn usual_keys(&self) -> Result<(String, PathBuf)> {
        let url = self.sqlite("usual");
        let secrets = self.fill(&url, "usual", BENCH_KEYS)?;
        Ok((url, secrets))
    }

    fn quick_part(&mut self, url: &str, secrets: &Path) -> Result<()> {
        surfaces::measure(self, url, secrets.to_owned())?;
        in_process(self, url, secrets)?;
        idle(self)
    }

    fn report(self, workspace: &Workspace) -> Result<()> {
        let machine = machine::describe(workspace)?;
        println!("{}\n\n{}", machine::summary(&machine), table::markdown(&self.rows));
        let file = workspace.target.join("bench.json");
        fs::write(&file, serde_json::to_string_pretty(&table::json(&self.rows, &machine))?)?;
        eprintln!("The same is in {}", file.display());
        if self.wrong.is_empty() { Ok(()) } else { Err(self.wrong.join("\n").into()) }
    }
}

fn in_process(bench: &mut Bench, url: &str, secrets: &Path) -> Result<()> {
    for (number, keys) in KEYS_INSIDE.into_iter().enumerate() {
        let mut command = Command::new(&bench.programs.bench);
        command.args(["in-process", "--database-url", url, "--keys", &keys.to_string()]);
        command.args(["--calls", &(keys * CALLS_INSIDE).to_string(), "--secrets"]).arg(secrets);
        let figures: Value = serde_json::from_str(&undisturbed(|| process::read_output(&mut command))?)?;
        for (name, what) in [
            ("verify", "`Keyring::verify`"),
            ("verify_on_two_threads", "the same on two threads"),
            ("verify_and_record", "the same with the use recorded"),
        ] {
            let nanos = figures[name].as_f64().unwrap_or_default();
            let what = format!("inside the process: {what}, {} keys in turn", thousands(keys as f64));
            let row = Row::alone(what, format!("{nanos:.0} ns"), json!(nanos));
            let has_budget = number == 0 && name == "verify";
            bench.add(if has_budget { row.with_budget("at most 500 ns", nanos <= MAX_VERIFY_NS) } else { row });
        }
    }
    Ok(())
}

fn idle(bench: &mut Bench) -> Result<()> {
    let fresh = bench.directory().to_owned();
    start_up(bench, "start-up, with a new database", IDLE_STARTS, |number| {
        format!("sqlite://{}/fresh-{number}.db", fresh.display())
    })?;
    let program = Program::latchkey(&bench.programs.latchkey, &bench.sqlite("idle"), DEFAULT_MEMORY_MIB)?;
    thread::sleep(Duration::from_secs(1));
    let memory = program.memory()?;
    let row = Row::alone("memory, idle", format!("{memory:.0} MB"), json!(memory));
    bench.add(row.with_budget("at most 40 MB", memory <= MAX_IDLE_MEMORY_MB));
    program.stop()
}

/// Measures the time from the program's start until it reports that it is ready.
fn start_up(bench: &mut Bench, what: &str, starts: usize, url: impl Fn(usize) -> String) -> Result<()> {
    let (mut took, mut started) = (Vec::new(), 0);
    while took.len() < starts {
        took.push(undisturbed(|| {
            started += 1;
            let program = Program::latchkey(&bench.programs.latchkey, &url(started), DEFAULT_MEMORY_MIB)?;
            let took = program.took.as_secs_f64() * 1_000.0;
            program.stop()?;
            Ok(took)
        })?);
    }
    let middle = median(took.iter().copied());
    let row = Row::alone(what, format!("{middle:.0} ms"), json!(took));
    bench.add(row.with_budget("at most 300 ms", middle <= MAX_START_MS));
    Ok(())
}
