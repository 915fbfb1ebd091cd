//! What keys are used for. Counted in memory and written behind in batches: an answer never waits for it.
//!
//! Counts are exact. What a crash can lose is what came since the last batch.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    id::{KeyId, PersonId},
    usage::{LOG_DAYS, LegacyMethod},
    verdict::Verdict,
};

use crate::{
    Keyring,
    error::Error,
    history::whole_hour,
    store::{self, StoreError},
};

/// How many single calls wait to be written at most. Should the database be gone for long, the counts go on and the
/// log of single calls has a gap.
const MOST_CALLS: usize = 100_000;

/// For how long the counts by the hour are kept.
const COUNTS_KEPT: TimeDelta = TimeDelta::days(400);

/// One call with a key, good or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub key: KeyId,
    pub at: DateTime<Utc>,
    pub method: String,
    /// The route as the program knows it, not as it was asked for: that could hold anything.
    pub route: String,
    pub status: u16,
    pub verdict: Verdict,
    pub address: IpAddr,
}

/// When a key was last used for something that it was good for, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LastUse {
    pub(crate) at: DateTime<Utc>,
    pub(crate) address: IpAddr,
}

/// How often a person came by an old way, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LegacyCount {
    pub(crate) first: DateTime<Utc>,
    pub(crate) last: DateTime<Utc>,
    pub(crate) count: i64,
}

/// What has yet to be written.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) calls: Vec<Call>,
    pub(crate) hours: HashMap<(KeyId, DateTime<Utc>, Verdict), i64>,
    pub(crate) last_uses: HashMap<KeyId, LastUse>,
    pub(crate) legacy: HashMap<(PersonId, LegacyMethod), LegacyCount>,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.hours.is_empty() && self.legacy.is_empty()
    }

    pub(crate) fn add(&mut self, call: Call) {
        let hour = whole_hour(call.at);
        *self.hours.entry((call.key.clone(), hour, call.verdict)).or_default() += 1;
        if call.verdict == Verdict::Valid {
            self.used(call.key.clone(), LastUse { at: call.at, address: call.address });
        }
        if self.calls.len() < MOST_CALLS {
            self.calls.push(call);
        }
    }

    fn used(&mut self, key: KeyId, latest: LastUse) {
        let last = self.last_uses.entry(key).or_insert(latest);
        if last.at <= latest.at {
            *last = latest;
        }
    }

    fn came(&mut self, who: (PersonId, LegacyMethod), more: LegacyCount) {
        let known = self.legacy.entry(who).or_insert(LegacyCount { count: 0, ..more });
        *known = LegacyCount {
            first: known.first.min(more.first),
            last: known.last.max(more.last),
            count: known.count + more.count,
        };
    }

    /// Takes back what could not be written, the older calls first.
    fn put_back(&mut self, mut unwritten: Self) {
        for (hour, count) in unwritten.hours {
            *self.hours.entry(hour).or_default() += count;
        }
        for (key, last) in unwritten.last_uses {
            self.used(key, last);
        }
        for (who, count) in unwritten.legacy {
            self.came(who, count);
        }
        unwritten.calls.append(&mut self.calls);
        unwritten.calls.truncate(MOST_CALLS);
        self.calls = unwritten.calls;
    }
}

/// Where uses wait to be written.
#[derive(Default)]
pub(crate) struct Usage {
    pending: Mutex<Batch>,
    /// One batch is written at a time, so that whoever waits for it knows that the one before is written as well.
    writing: tokio::sync::Mutex<()>,
}

impl Usage {
    fn pending(&self) -> MutexGuard<'_, Batch> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count_legacy(&self, person: &PersonId, method: LegacyMethod, now: DateTime<Utc>) {
        self.pending().came((person.clone(), method), LegacyCount { first: now, last: now, count: 1 });
    }
}

impl Keyring {
    /// Notes a call with a key. It is written with the next batch.
    pub fn record(&self, call: Call) {
        self.usage.pending().add(call);
    }

    /// How many single calls wait to be written.
    #[must_use]
    pub fn usage_pending(&self) -> usize {
        self.usage.pending().calls.len()
    }

    /// Writes what waits. What could not be written waits for the next time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_usage(&self) -> Result<(), Error> {
        let _turn = self.usage.writing.lock().await;
        let batch = std::mem::take(&mut *self.usage.pending());
        if batch.is_empty() {
            return Ok(());
        }
        let written = store::usage::write(&self.database, &batch).await;
        written.map_err(|error: StoreError| {
            self.usage.pending().put_back(batch);
            error.into()
        })
    }

    /// Throws away what has been kept for long enough.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clear_old_usage(&self) -> Result<(), Error> {
        let now = self.now();
        Ok(store::usage::delete_before(&self.database, now - TimeDelta::days(LOG_DAYS), now - COUNTS_KEPT).await?)
    }
}
