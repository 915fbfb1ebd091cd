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
    Machine,
    ByHand(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands still until it is moved.
    #[must_use]
    pub fn stopped_at(instant: DateTime<Utc>) -> Self {
        Self::ByHand(Arc::new(AtomicI64::new(instant.timestamp_millis())))
    }

    /// The time to the millisecond, which is all that every database keeps.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Self::Machine => Utc::now().trunc_subsecs(3),
            Self::ByHand(milliseconds) => {
                DateTime::from_timestamp_millis(milliseconds.load(Ordering::SeqCst)).unwrap_or_default()
            }
        }
    }

    /// Milliseconds that never go back, whatever is done to the machine's time, and that go on while it sleeps: for
    /// measuring, not for telling.
    pub(crate) fn ticks(&self) -> Millis {
        match self {
            Self::Machine => {
                let since_boot = clock_gettime(ClockId::Boottime);
                (since_boot.tv_sec * 1_000 + since_boot.tv_nsec / 1_000_000).unsigned_abs()
            }
            Self::ByHand(milliseconds) => milliseconds.load(Ordering::SeqCst).unsigned_abs(),
        }
    }

    /// Moves a clock that was stopped by hand; the machine's own is not ours to move.
    pub fn advance(&self, by: TimeDelta) {
        if let Self::ByHand(milliseconds) = self {
            milliseconds.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
        }
    }
}
