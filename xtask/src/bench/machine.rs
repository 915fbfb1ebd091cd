//! Where it was measured, without which the numbers say little.

use crate::{Result, Workspace, process};
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

/// Measures while the machine is ours. On a virtual one, others may take the processors away for minutes, and what is
/// measured then says nothing; so it is measured again. A wrong answer is for the one who measures to remember: it is wrong
/// whoever had the processors.
pub fn undisturbed<T>(mut measure: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 0..MOST_ATTEMPTS {
        let before = Times::now()?;
        let measured = measure()?;
        let stolen = Times::now()?.stolen_since(before);
        if stolen <= MOST_STOLEN {
            return Ok(measured);
        }
        eprintln!("{stolen:.0} % of the processors' time was taken away: once more in {} s", PAUSE.as_secs());
        thread::sleep(PAUSE);
    }
    Err("others have taken the processors away again and again; measure on a machine that is all yours".into())
}

/// How the processors have spent their time since the machine started.
#[derive(Clone, Copy)]
struct Times {
    all: u64,
    stolen: u64,
}

impl Times {
    fn now() -> Result<Self> {
        let text = fs::read_to_string("/proc/stat")?;
        let line = text.lines().next().ok_or("/proc/stat is empty")?;
        // user, nice, system, idle, iowait, irq, softirq, steal; guests are counted among the first two.
        let spent = line.split_whitespace().skip(1).take(8).map(str::parse);
        let spent: Vec<u64> = spent.collect::<std::result::Result<_, _>>()?;
        Ok(Self { all: spent.iter().sum(), stolen: spent.get(7).copied().unwrap_or_default() })
    }

    /// The percentage of the time since then that a virtual machine wanted and was not given.
    fn stolen_since(self, then: Self) -> f64 {
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
