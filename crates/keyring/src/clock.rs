//! Where the time comes from.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use rustix::time::{ClockId, clock_gettime};

/// Milliseconds on a clock that never goes back.
pub(crate) type Millis = u64;

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
    pub(crate) fn ticks(&self) -> Millis {
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
