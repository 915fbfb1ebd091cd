//! Where the time comes from.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

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

    /// Moves a clock that was stopped by hand; the machine's own is not ours to move.
    pub fn advance(&self, by: TimeDelta) {
        if let Self::ByHand(milliseconds) = self {
            milliseconds.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
        }
    }
}
