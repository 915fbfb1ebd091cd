//! A program that is measured: started, asked how it is, held while another one is measured, and stopped.

use super::{http, secret_key};
use crate::{Result, process, services};
use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

const START_TIMEOUT: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(1);

pub struct Program {
    process: Child,
    pub address: SocketAddr,
    /// The time from its start until it was ready.
    pub took: Duration,
}

impl Program {
    pub fn latchkey(program: &Path, database_url: &str, memory: u32) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["serve", "--log", "warn", "--database-url", database_url, "--memory", &memory.to_string()]);
        command.stdout(std::process::Stdio::null());
        secret_key::name(&mut command, database_url)?;
        Self::start(command)
    }

    /// Keeps its database in a folder and fills it with the demo's data.
    pub fn demo(program: &Path, folder: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        let database_url = format!("sqlite://{}/latchkey.db", folder.display());
        command.args(["serve", "--demo", "--log", "warn", "--database-url", &database_url]);
        command.stdout(std::process::Stdio::null());
        Self::start(command)
    }

    pub fn baseline(program: &Path, answers: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.arg("baseline").arg("--answers").arg(answers);
        Self::start(command)
    }

    fn start(mut command: Command) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, services::free_port()?));
        let begun = Instant::now();
        let process = command
            .args(["--addr", &address.to_string()])
            .spawn()
            .map_err(|error| process::not_started(&command, &error))?;
        let mut program = Self { process, address, took: Duration::ZERO };
        program.wait_until_ready(begun)?;
        program.took = begun.elapsed();
        Ok(program)
    }

    fn wait_until_ready(&mut self, begun: Instant) -> Result<()> {
        while begun.elapsed() < START_TIMEOUT {
            if http::get(self.address, "/readyz").is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            if let Some(status) = self.process.try_wait()? {
                return Err(format!("the program under test exited immediately ({status})").into());
            }
            thread::sleep(LOOK_AGAIN);
        }
        Err(format!("a program that was to be measured was not ready within {} s", START_TIMEOUT.as_secs()).into())
    }

    /// Holds it where it is, so that nothing it has yet to do disturbs others.
    pub fn hold(&self) -> Result<()> {
        self.signal("STOP")
    }

    pub fn go_on(&self) -> Result<()> {
        self.signal("CONT")
    }

    /// Stops it cleanly.
    pub fn stop(mut self) -> Result<()> {
        self.signal("TERM")?;
        let status = self.process.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("a program that was measured ended badly ({status})").into())
        }
    }

    fn signal(&self, name: &str) -> Result<()> {
        process::read_output(Command::new("kill").args([&format!("-{name}"), &self.process.id().to_string()])).map(drop)
    }

    /// Its memory in MB, of which it shares none.
    pub fn memory(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS in /proc")?;
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1_024.0 / 1e6)
    }

    /// The seconds for which it has had a processor.
    pub fn processor_time(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // The name may hold anything, and ends with the last bracket. The third field follows.
        let fields = stat.rsplit_once(") ").ok_or("no name in /proc")?.1.split(' ').skip(11).take(2);
        let ticks: u64 = fields.map(str::parse::<u64>).sum::<std::result::Result<_, _>>()?;
        let a_second: f64 = process::read_output(Command::new("getconf").arg("CLK_TCK"))?.trim().parse()?;
        Ok(ticks as f64 / a_second)
    }

    /// Returns the number of verdicts by kind.
    pub fn verdicts(&self) -> Result<BTreeMap<String, u64>> {
        let metrics = http::get(self.address, "/metrics")?.body;
        let lines = metrics.lines().filter_map(|line| line.strip_prefix("latchkey_verdicts_total{verdict=\""));
        lines
            .map(|line| {
                let (verdict, count) = line.split_once("\"} ").ok_or("a verdict has no count")?;
                Ok((verdict.to_owned(), count.parse()?))
            })
            .collect()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
