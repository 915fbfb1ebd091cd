//! Processor time taken by other virtual machines, which may be most of it for minutes.

use crate::Result;
use std::fs;

/// Runs `work` and returns which percentage of the wanted processor time was stolen.
pub fn during<T>(act: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    let before = CpuTimes::now()?;
    let done = act()?;
    Ok((done, CpuTimes::now()?.stolen_since(before)))
}

/// The processor times since the machine started.
struct CpuTimes {
    all: u64,
    steal_time: u64,
}

impl CpuTimes {
    fn now() -> Result<Self> {
        let text = fs::read_to_string("/proc/stat")?;
        let line = text.lines().next().ok_or("/proc/stat is empty")?;
        // user, nice, system, idle, iowait, irq, softirq, steal; guests are counted among the first two.
        let spent = line.split_whitespace().skip(1).take(8).map(str::parse);
        let spent: Vec<u64> = spent.collect::<std::result::Result<_, _>>()?;
        Ok(Self { all: spent.iter().sum(), steal_time: spent.get(7).copied().unwrap_or_default() })
    }

    fn stolen_since(self, then: Self) -> f64 {
        (self.steal_time - then.steal_time) as f64 / (self.all - then.all).max(1) as f64 * 100.0
    }
}
