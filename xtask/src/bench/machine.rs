//! Where it was measured, without which the numbers say little.

use crate::{Result, Workspace, process, stolen};
use serde_json::{Value, json};
use std::{fs, process::Command, thread, time::Duration};

/// In percent.
const MOST_STOLEN: f64 = 3.0;
const MOST_ATTEMPTS: usize = 20;
const PAUSE: Duration = Duration::from_secs(30);

pub fn describe(workspace: &Workspace) -> Result<Value> {
    let version = |program: &str| process::read(&mut workspace.command(program, &["--version"]));
    Ok(json!({
        "processor": field("/proc/cpuinfo", "model name")?,
        "cores": thread::available_parallelism()?.get(),
        "memory_gb": memory()?,
        "kernel": process::read(Command::new("uname").arg("-sr"))?.trim(),
        "date": process::read(Command::new("date").args(["--utc", "+%Y-%m-%d"]))?.trim(),
        "rust": version("rustc")?.trim(),
        "commit": process::read(&mut workspace.command("git", &["describe", "--always", "--dirty"]))?.trim(),
    }))
}

pub fn words(machine: &Value) -> String {
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
    for _ in 0..MOST_ATTEMPTS {
        let (measured, stolen) = stolen::during(&mut measure)?;
        if stolen <= MOST_STOLEN {
            return Ok(measured);
        }
        eprintln!("{stolen:.0} % of the processors' time was taken away: once more in {} s", PAUSE.as_secs());
        thread::sleep(PAUSE);
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
