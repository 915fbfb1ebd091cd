//! The number of answers by kind, and the errors among them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use latchkey_client::Verdict;
use serde::{Deserialize, Serialize};

/// The number of faults that are printed in full; the rest is only counted.
const TOLD: usize = 20;

/// The number of verdicts of each kind for a key.
pub type Counts = BTreeMap<String, u64>;

/// The result of a run.
#[derive(Default, Serialize, Deserialize)]
pub struct Report {
    pub answers: u64,
    pub changes: BTreeMap<String, u64>,
    pub slowest_change_ms: u64,
    /// The counts of each key, except deleted ones, whose counts were deleted too.
    pub counts: HashMap<String, Counts>,
    pub faults: u64,
    /// Questions and changes that a node did not take, because it had not heard from the database for too long.
    pub unanswered: u64,
    pub told: Vec<String>,
}

#[derive(Default)]
pub struct Tally(Mutex<Report>);

impl Tally {
    pub fn count(&self, key: Option<&str>, verdict: &Verdict) {
        let mut report = self.report();
        report.answers += 1;
        if let Some(key) = key {
            let counts = report.counts.entry(key.to_owned()).or_default();
            *counts.entry(verdict.as_str().to_owned()).or_default() += 1;
        }
    }

    pub fn changed(&self, how: &str, took: Duration) {
        let mut report = self.report();
        *report.changes.entry(how.to_owned()).or_default() += 1;
        report.slowest_change_ms = report.slowest_change_ms.max(took.as_millis() as u64);
    }

    pub fn unanswered(&self) {
        self.report().unanswered += 1;
    }

    pub fn wrong(&self, fault: String) {
        let mut report = self.report();
        report.faults += 1;
        if report.told.len() < TOLD {
            report.told.push(fault);
        }
    }

    pub fn into_report(self) -> Report {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self) -> MutexGuard<'_, Report> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
