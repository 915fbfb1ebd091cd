//! What one key has used: its calls of the last minute, and what of them is not written yet.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use domain::{id::KeyId, rate_limit::RateLimit, verdict::Verdict};

use super::{
    generation::{Generation, HasGeneration},
    registry::Shared,
};
use crate::{
    clock::Millis,
    history::whole_hour,
    limiter::{Quota, Window},
    usage::{KeyLog, LastUse},
};

/// One for each key, shared by its secrets, and independent of what the cache evicts.
#[derive(Debug)]
pub(crate) struct UsageCounter {
    pub(crate) key: KeyId,
    generation: Generation,
    window: Mutex<Window>,
    recorded: Mutex<Recorded>,
}

#[derive(Debug, Default)]
struct Recorded {
    delta: UsageDelta,
    log: KeyLog,
}

/// The outcome of a counted call.
pub(crate) struct Counted {
    /// It is the first since the tally was last collected.
    pub(crate) is_first: bool,
    pub(crate) is_logged: bool,
}

/// What has yet to be written about a key.
#[derive(Debug, Default)]
pub(crate) struct UsageDelta {
    /// A key has few verdicts in few hours: a list is smaller than a map and no slower.
    pub(crate) hours: Vec<(DateTime<Utc>, Verdict, i64)>,
    pub(crate) last: Option<LastUse>,
}

impl UsageDelta {
    fn is_empty(&self) -> bool {
        self.hours.is_empty() && self.last.is_none()
    }

    fn count(&mut self, hour: DateTime<Utc>, verdict: Verdict, more: i64) {
        match self.hours.iter_mut().find(|(other, said, _)| *other == hour && *said == verdict) {
            Some((.., count)) => *count += more,
            None => self.hours.push((hour, verdict, more)),
        }
    }

    fn used(&mut self, latest: LastUse) {
        if self.last.is_none_or(|last| last.at <= latest.at) {
            self.last = Some(latest);
        }
    }
}

impl UsageCounter {
    pub(crate) fn new(key: &KeyId) -> Self {
        Self {
            key: key.clone(),
            generation: Generation::default(),
            window: Mutex::default(),
            recorded: Mutex::default(),
        }
    }

    /// Takes this many calls from the key's limit, or none.
    ///
    /// # Errors
    /// What is left and when to come back, when it is not enough.
    pub(crate) fn take(&self, limit: RateLimit, cost: u16, now: Millis) -> Result<Quota, Quota> {
        self.window().take(limit.per_minute(), cost, now)
    }

    /// What is left, with nothing taken.
    pub(crate) fn look(&self, limit: RateLimit, now: Millis) -> Quota {
        self.window().quota(limit.per_minute(), now)
    }

    /// Counts a call, and asks whether there is room for it in the log.
    pub(crate) fn count(
        &self,
        verdict: Verdict,
        latest: LastUse,
        take_room: impl FnOnce(&mut KeyLog) -> bool,
    ) -> Counted {
        let mut recorded = self.recorded();
        let Recorded { delta, log } = &mut *recorded;
        let is_first = delta.is_empty();
        delta.count(whole_hour(latest.at), verdict, 1);
        if verdict == Verdict::Valid {
            delta.used(latest);
        }
        Counted { is_first, is_logged: take_room(log) }
    }

    /// Takes what has yet to be written.
    pub(crate) fn collect(&self) -> UsageDelta {
        std::mem::take(&mut self.recorded().delta)
    }

    /// Takes back what could not be written. True when nothing else had to be.
    pub(crate) fn put_back(&self, unwritten: UsageDelta) -> bool {
        let mut recorded = self.recorded();
        let delta = &mut recorded.delta;
        let is_first = delta.is_empty();
        for (hour, verdict, count) in unwritten.hours {
            delta.count(hour, verdict, count);
        }
        if let Some(last) = unwritten.last {
            delta.used(last);
        }
        is_first
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recorded(&self) -> MutexGuard<'_, Recorded> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HasGeneration for UsageCounter {
    fn generation(&self) -> &Generation {
        &self.generation
    }
}

impl Shared for UsageCounter {
    fn is_idle(&self, now: Millis) -> bool {
        self.window().is_idle(now)
    }
}
