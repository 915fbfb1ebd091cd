//! The standard metrics of a process, read from `/proc` at each scrape.

use std::{fmt, fs};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::Unit,
};

/// The unit of times in `/proc/<id>/stat`, the same on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// The places of fields in `/proc/<id>/stat` after the command, which is in parentheses and may contain spaces.
const USER_TIME: usize = 11;
const SYSTEM_TIME: usize = 12;
const START_TIME: usize = 19;

#[derive(Debug)]
pub struct ProcessCollector;

struct Process {
    cpu_seconds: f64,
    start_seconds: f64,
    resident_bytes: u64,
    open_files: u64,
}

impl Collector for ProcessCollector {
    /// Reports nothing on systems without `/proc`.
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let Some(process) = Process::read() else { return Ok(()) };
        let cpu = ConstCounter::new(process.cpu_seconds);
        let help = "User and system processor time";
        cpu.encode(encoder.encode_descriptor("process_cpu", help, Some(&Unit::Seconds), cpu.metric_type())?)?;
        let start = ConstGauge::new(process.start_seconds);
        let help = "Start time of the process since the Unix epoch";
        start.encode(encoder.encode_descriptor(
            "process_start_time",
            help,
            Some(&Unit::Seconds),
            start.metric_type(),
        )?)?;
        let memory = ConstGauge::new(process.resident_bytes);
        let help = "Resident memory";
        let unit = Some(&Unit::Bytes);
        memory.encode(encoder.encode_descriptor("process_resident_memory", help, unit, memory.metric_type())?)?;
        let files = ConstGauge::new(process.open_files);
        files.encode(encoder.encode_descriptor(
            "process_open_fds",
            "Open file descriptors",
            None,
            files.metric_type(),
        )?)
    }
}

impl Process {
    fn read() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        let seconds = |at: usize| Some(fields.get(at)?.parse::<f64>().ok()? / TICKS_PER_SECOND);
        let status = fs::read_to_string("/proc/self/status").ok()?;
        Some(Self {
            cpu_seconds: seconds(USER_TIME)? + seconds(SYSTEM_TIME)?,
            start_seconds: boot_time()? + seconds(START_TIME)?,
            resident_bytes: value_after(&status, "VmRSS:")? * 1024,
            open_files: fs::read_dir("/proc/self/fd").ok()?.count() as u64,
        })
    }
}

/// Returns the time at which the system started, in seconds since the Unix epoch.
fn boot_time() -> Option<f64> {
    Some(value_after(&fs::read_to_string("/proc/stat").ok()?, "btime ")? as f64)
}

/// Returns the number after a name at the start of a line.
fn value_after(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_reads_its_own_numbers() {
        let process = Process::read().unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
        assert!((now - 600.0..now + 2.0).contains(&process.start_seconds), "{}", process.start_seconds);
        assert!(process.resident_bytes > 1_000_000 && process.open_files > 2 && process.cpu_seconds >= 0.0);
    }
}
