//! Where it was measured, without which the numbers say little.

use crate::{Result, Workspace, process};
use serde_json::{Value, json};
use std::{fs, process::Command, thread};

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

/// How the processors have spent their time since the machine started.
#[derive(Clone, Copy)]
pub struct Times {
    all: u64,
    stolen: u64,
}

impl Times {
    pub fn now() -> Result<Self> {
        let text = fs::read_to_string("/proc/stat")?;
        let line = text.lines().next().ok_or("/proc/stat is empty")?;
        // user, nice, system, idle, iowait, irq, softirq, steal; guests are counted among the first two.
        let spent: Vec<u64> =
            line.split_whitespace().skip(1).take(8).map(str::parse).collect::<std::result::Result<_, _>>()?;
        Ok(Self { all: spent.iter().sum(), stolen: spent.get(7).copied().unwrap_or_default() })
    }

    /// The percentage of the time since then that a virtual machine wanted and was not given.
    pub fn stolen_since(self, then: Self) -> f64 {
        (self.stolen - then.stolen) as f64 / (self.all - then.all).max(1) as f64 * 100.0
    }
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
