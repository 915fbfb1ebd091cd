//! Clocks: the machine's, and the database's, by which all nodes agree.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use rustix::time::{ClockId, clock_gettime};

/// Milliseconds on a clock that never goes back.
pub type Millis = u64;

/// The machine's clock, or one that a test or the demo sets by hand.
#[derive(Debug, Clone)]
pub enum Clock {
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands still until it is moved.
    #[must_use]
    pub fn stopped_at(instant: DateTime<Utc>) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(instant.timestamp_millis())))
    }

    /// The time to the millisecond, which is all that every database keeps.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Self::System => Utc::now().trunc_subsecs(3),
            Self::Manual(milliseconds) => {
                DateTime::from_timestamp_millis(milliseconds.load(Ordering::SeqCst)).unwrap_or_default()
            }
        }
    }

    /// Monotonic milliseconds that include time spent asleep: for measuring durations.
    pub fn ticks(&self) -> Millis {
        match self {
            Self::System => {
                let since_boot = clock_gettime(ClockId::Boottime);
                (since_boot.tv_sec * 1_000 + since_boot.tv_nsec / 1_000_000).unsigned_abs()
            }
            Self::Manual(milliseconds) => milliseconds.load(Ordering::SeqCst).unsigned_abs(),
        }
    }

    /// Moves a clock that was stopped by hand; the machine's own is not ours to move.
    pub fn advance(&self, by: TimeDelta) {
        if let Self::Manual(milliseconds) = self {
            milliseconds.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
        }
    }
}

/// The clock of a process, and the only source of waiting.
#[expect(
    async_fn_in_trait,
    reason = "the simulation's futures are not Send, and every other use is checked where it is spawned"
)]
pub trait Runtime {
    fn ticks(&self) -> Millis;

    async fn sleep(&self, millis: Millis);

    /// A point where the machine may pause the process. Does nothing outside the simulation.
    async fn stall(&self) {}
}

/// The database's clock, as an offset from this machine's monotonic clock. It decides when keys expire, so that all
/// nodes agree.
#[derive(Debug)]
pub struct DatabaseClock(AtomicI64);

const UNKNOWN: i64 = i64::MIN;

impl Default for DatabaseClock {
    fn default() -> Self {
        Self(AtomicI64::new(UNKNOWN))
    }
}

impl DatabaseClock {
    /// Records a reading taken after an instant. The delay of the answer is ignored, so a key may expire slightly early
    /// but never late.
    pub fn set(&self, shown: DateTime<Utc>, before: Millis) {
        let before = i64::try_from(before).unwrap_or_default();
        self.0.store(shown.timestamp_millis() - before, Ordering::Relaxed);
    }

    /// Returns the time at an instant, or none before the first reading.
    #[must_use]
    pub fn at(&self, now: Millis) -> Option<DateTime<Utc>> {
        let ahead = self.0.load(Ordering::Relaxed);
        if ahead == UNKNOWN {
            return None;
        }
        DateTime::from_timestamp_millis(ahead + i64::try_from(now).ok()?)
    }
}
