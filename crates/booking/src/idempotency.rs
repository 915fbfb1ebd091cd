//! Calls that are sent again because their answer was lost: they get the first answer once more.

use std::{
    collections::HashSet,
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    caller::Caller,
    id::{ReservationId, TenantId},
};
use sha2::{Digest, Sha256};

use crate::{Booking, error::Error, occupancy::FullNight, store};

/// For how long an answer is remembered.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);

/// What makes a call the same as an earlier one.
#[derive(Debug, Clone, Copy)]
pub struct Idempotency<'a> {
    pub key: &'a str,
    pub body: &'a [u8],
}

/// Which of a caller's calls this is. Of its key, only the hash is kept.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Call {
    pub(crate) tenant: TenantId,
    pub(crate) caller: String,
    pub(crate) key_sha256: String,
}

impl Call {
    pub(crate) fn of(caller: &Caller, idempotency: &Idempotency<'_>) -> Self {
        Self {
            tenant: caller.tenant.clone(),
            caller: caller.identity.to_string(),
            key_sha256: sha256(idempotency.key.as_bytes()),
        }
    }
}

/// What was said to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Reserved(ReservationId),
    SoldOut(FullNight),
}

/// What was said to a call that had this body.
pub(crate) struct StoredAnswer {
    pub(crate) body_sha256: String,
    pub(crate) answer: Answer,
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // WriteTransaction into a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// An answer from before this instant is forgotten.
pub(crate) fn forgotten_before(now: DateTime<Utc>) -> DateTime<Utc> {
    now - REMEMBERED
}

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
