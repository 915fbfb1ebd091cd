//! Calls that are sent again because their answer was lost: they get the first answer once more.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};

use crate::{
    Booking,
    answers::{Call, forgotten_before},
    error::Error,
    store,
};

/// The calls that are being carried out in this process.
#[derive(Clone, Default)]
pub(crate) struct RunningCalls(Arc<Mutex<HashSet<Call>>>);

impl RunningCalls {
    /// Notes that a call is running, for as long as what is returned is held.
    pub(crate) fn enter(&self, call: &Call) -> Result<RunningGuard, Error> {
        if self.calls().insert(call.clone()) {
            return Ok(RunningGuard { running: self.clone(), call: call.clone() });
        }
        Err(Error::StillRunning)
    }

    fn calls(&self) -> MutexGuard<'_, HashSet<Call>> {
        // The set is valid at every instant, even if a thread panicked while holding the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that is running. Also one that is given up halfway ends with it.
pub(crate) struct RunningGuard {
    running: RunningCalls,
    call: Call,
}

impl Drop for RunningGuard {
    fn drop(&mut self) {
        self.running.calls().remove(&self.call);
    }
}

impl Booking {
    /// Forgets the answers that are too old to be given again, and says how many there were.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn clear_old(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        Ok(store::idempotency::delete_before(&self.pool, forgotten_before(now)).await?)
    }
}
