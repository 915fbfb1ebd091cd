//! `cargo xtask bench --instructions`: how many instructions the server executes for one request, counted by callgrind.
//! Unlike times, they are the same on a busy machine, so a regression of a few percent shows.

use super::table::thousands;
use crate::{
    Result, Workspace, process,
    scratch::Scratch,
    setup::{self, Tool},
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The request kinds of `server/benches/instructions.rs`.
const REQUEST_KINDS: [&str; 3] = ["verify", "forward-auth", "own-key"];
const REQUESTS: u64 = 2_000;
/// The allocator's share of the work depends on where it happens to find room, so the lowest of some runs counts.
const RUNS: usize = 3;
/// Between two such counts of the same program.
const MAX_SPREAD_PERCENT: f64 = 0.5;
const MAX_INCREASE_PERCENT: f64 = 3.0;
const PROFILE: &str = "instructions";
const FILE: &str = "server/benches/instructions.json";

/// The instructions per request of each kind, in the order of [`REQUEST_KINDS`].
type Counts = [u64; REQUEST_KINDS.len()];

/// Counts, and writes the file that later counts are compared with.
pub fn write(workspace: &Workspace) -> Result<()> {
    let counts = count(workspace)?;
    let per_request: Value =
        REQUEST_KINDS.into_iter().zip(counts).map(|(kind, count)| (kind.to_owned(), json!(count))).collect();
    let found = json!({ "toolchain": toolchain(workspace)?, "instructions_per_request": per_request });
    fs::write(workspace.root.join(FILE), format!("{found:#}\n"))?;
    for (kind, count) in REQUEST_KINDS.into_iter().zip(counts) {
        println!("{kind}: {}", thousands(count as f64));
    }
    Ok(())
}

/// Counts, and fails when the count of any kind is too far above the one in the file.
pub fn check(workspace: &Workspace) -> Result<()> {
    let baseline: Value = serde_json::from_str(&fs::read_to_string(workspace.root.join(FILE))?)?;
    let toolchain = toolchain(workspace)?;
    if baseline["toolchain"] != json!(toolchain) {
        return Err(format!(
            "{FILE} was written with {}, and this is {toolchain}; write it again at a commit that is known to be fast",
            baseline["toolchain"]
        )
        .into());
    }
    let mut slower = Vec::new();
    for (kind, count) in REQUEST_KINDS.into_iter().zip(count(workspace)?) {
        let before = baseline["instructions_per_request"][kind].as_u64().ok_or(format!("{FILE} lacks {kind}"))?;
        let change = increase_percent(before, count);
        println!("{kind}: {} ({change:+.2} %)", thousands(count as f64));
        if change > MAX_INCREASE_PERCENT {
            slower.push(format!("{kind} takes {change:.2} % more instructions than {FILE} says"));
        }
    }
    if slower.is_empty() { Ok(()) } else { Err(slower.join("\n").into()) }
}

fn count(workspace: &Workspace) -> Result<Counts> {
    setup::programs(&[Tool::Valgrind])?;
    let program = build(workspace)?;
    let scratch = Scratch::new("instructions")?;
    let mut counts = [0; REQUEST_KINDS.len()];
    for (kind, count) in REQUEST_KINDS.into_iter().zip(&mut counts) {
        let [first, second] = [lowest(&program, kind, &scratch)?, lowest(&program, kind, &scratch)?];
        let spread = increase_percent(first.min(second), first.max(second));
        if spread > MAX_SPREAD_PERCENT {
            return Err(format!("{kind}: {first} and {second} instructions are {spread:.2} % apart").into());
        }
        *count = first.min(second);
    }
    Ok(counts)
}

/// Builds the program, and returns its path as Cargo reports it.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    // The server embeds the site, which no request here reads.
    fs::create_dir_all(workspace.site())?;
    let messages = process::read_output(&mut workspace.cargo(&[
        "build",
        "--locked",
        "--profile",
        PROFILE,
        "-p",
        "server",
        "--bench",
        "instructions",
        "--message-format",
        "json-render-diagnostics",
    ]))?;
    let executable = messages.lines().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_ours = message["target"]["name"] == "instructions";
        message["executable"].as_str().filter(|_| is_ours).map(PathBuf::from)
    });
    executable.ok_or_else(|| "cargo did not report where the program is".into())
}

fn lowest(program: &Path, kind: &str, scratch: &Scratch) -> Result<u64> {
    let mut lowest = u64::MAX;
    for _ in 0..RUNS {
        lowest = lowest.min(run(program, kind, scratch)?);
    }
    Ok(lowest)
}

/// Counts one kind of request, and returns the instructions per request.
fn run(program: &Path, kind: &str, scratch: &Scratch) -> Result<u64> {
    let profile = scratch.path().join("callgrind.out");
    process::run(
        Command::new("valgrind")
            .args(["--quiet", "--tool=callgrind", "--toggle-collect=*::serve_counted*"])
            .arg(format!("--callgrind-out-file={}", profile.display()))
            .arg(program)
            .args([kind, &REQUESTS.to_string()]),
    )?;
    let text = fs::read_to_string(profile)?;
    let total: u64 = text.lines().find_map(|line| line.strip_prefix("totals: ")).ok_or("no total")?.trim().parse()?;
    if total == 0 {
        return Err("callgrind counted nothing".into());
    }
    Ok(total / REQUESTS)
}

fn increase_percent(before: u64, after: u64) -> f64 {
    (after as f64 / before as f64 - 1.0) * 100.0
}

fn toolchain(workspace: &Workspace) -> Result<String> {
    Ok(process::read_output(&mut workspace.command("rustc", &["--version"]))?.trim().to_owned())
}
