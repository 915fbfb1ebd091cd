//! The calls of one key: those of the last minute, and those that are not written yet.

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{
    id::KeyId,
    rate_limit::RateLimit,
    usage_record::{LastUse, UsageDelta, whole_hour},
    verdict::Verdict,
};

use super::log_room::KeyLog;
use crate::{
    clock::Millis,
    generation::{Generation, HasGeneration},
    rate_limit::calls::{Quota, Window},
};

/// One for each key, shared by its secrets, and independent of what the cache evicts.
#[derive(Debug)]
pub struct UsageCounter {
    pub key: KeyId,
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
pub struct Counted {
    /// True if this is the first call since the counter was last collected.
    pub is_first: bool,
    pub is_logged: bool,
}

impl UsageCounter {
    pub fn new(key: &KeyId) -> Self {
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
    /// Returns the quota if not enough is left.
    pub fn take(&self, limit: RateLimit, cost: u16, now: Millis) -> Result<Quota, Quota> {
        self.window().take(limit.per_minute(), cost, now)
    }

    /// Returns what is left, without taking anything.
    pub fn quota(&self, limit: RateLimit, now: Millis) -> Quota {
        self.window().quota(limit.per_minute(), now)
    }

    /// Counts a call, and logs it if `take_room` finds room for it.
    pub fn count(&self, verdict: Verdict, latest: LastUse, take_room: impl FnOnce(&mut KeyLog) -> bool) -> Counted {
        let mut recorded = self.recorded();
        let Recorded { delta, log } = &mut *recorded;
        let is_first = delta.is_empty();
        delta.count(whole_hour(latest.at), verdict, 1);
        if verdict == Verdict::Valid {
            delta.set_last_use(latest);
        }
        Counted { is_first, is_logged: take_room(log) }
    }

    /// Takes what has not been written yet.
    pub fn collect(&self) -> UsageDelta {
        std::mem::take(&mut self.recorded().delta)
    }

    /// Puts back what could not be written. Returns true if there was nothing else to write.
    pub fn put_back(&self, unwritten: UsageDelta) -> bool {
        let mut recorded = self.recorded();
        let delta = &mut recorded.delta;
        let is_first = delta.is_empty();
        for (hour, verdict, count) in unwritten.hours {
            delta.count(hour, verdict, count);
        }
        if let Some(last) = unwritten.last {
            delta.set_last_use(last);
        }
        is_first
    }

    /// Returns whether no call is in the rate limit's window.
    pub fn is_idle(&self, now: Millis) -> bool {
        self.window().is_idle(now)
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
