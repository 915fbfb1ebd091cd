//! A description of the machine, without which the numbers say little.

use crate::{Result, Workspace, process, steal_time};
use serde_json::{Value, json};
use std::{fs, process::Command, thread, time::Duration};

/// In percent.
const MAX_STOLEN_PERCENT: f64 = 3.0;
const MAX_ATTEMPTS: usize = 20;
const RETRY_PAUSE: Duration = Duration::from_secs(30);

pub fn describe(workspace: &Workspace) -> Result<Value> {
    let version = |program: &str| process::read_output(&mut workspace.command(program, &["--version"]));
    Ok(json!({
        "processor": field("/proc/cpuinfo", "model name")?,
        "cores": thread::available_parallelism()?.get(),
        "memory_gb": memory()?,
        "kernel": process::read_output(Command::new("uname").arg("-sr"))?.trim(),
        "date": process::read_output(Command::new("date").args(["--utc", "+%Y-%m-%d"]))?.trim(),
        "rust": version("rustc")?.trim(),
        "commit": process::read_output(&mut workspace.command("git", &["describe", "--always", "--dirty"]))?.trim(),
    }))
}

pub fn summary(machine: &Value) -> String {
    let word = |name: &str| machine[name].as_str().unwrap_or_default().to_owned();
    let (cores, memory) = (&machine["cores"], machine["memory_gb"].as_f64().unwrap_or_default());
    format!(
        "{}, {cores} cores, {memory:.0} GB of memory, {}, {}, {}; {}",
        word("processor"),
        word("kernel"),
        word("rust"),
        word("commit"),
        word("date")
    )
}

/// Measures while the machine is undisturbed. On a virtual machine, others may take the processors for minutes, and
/// such a measurement is repeated. A wrong answer is a fault on any machine, so the measurement itself must remember
/// it.
pub fn undisturbed<T>(mut measure: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 0..MAX_ATTEMPTS {
        let (measured, steal_time) = steal_time::during(&mut measure)?;
        if steal_time <= MAX_STOLEN_PERCENT {
            return Ok(measured);
        }
        eprintln!("{steal_time:.0} % of the processors' time was taken away: once more in {} s", RETRY_PAUSE.as_secs());
        thread::sleep(RETRY_PAUSE);
    }
    Err("others have taken the processors away again and again; measure on a machine that is all yours".into())
}

fn memory() -> Result<f64> {
    let kilobytes: f64 = field("/proc/meminfo", "MemTotal")?.trim_end_matches(" kB").parse()?;
    Ok(kilobytes * 1_024.0 / 1e9)
}

fn field(file: &str, name: &str) -> Result<String> {
    let text = fs::read_to_string(file)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
    Ok(line.unwrap_or("unknown").trim().to_owned())
}
