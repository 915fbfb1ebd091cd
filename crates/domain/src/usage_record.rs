//! Calls as they are counted and logged.

use std::{borrow::Cow, net::IpAddr, time::Duration};

use arrayvec::ArrayString;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use crate::{
    id::{KeyId, SecretId},
    verdict::Verdict,
};

/// One call with a key, valid or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    pub at: DateTime<Utc>,
    pub verdict: Verdict,
    /// None if a verifier did not pass the client's address.
    pub address: Option<IpAddr>,
}

/// The longest request id that is stored with a call.
pub const MAX_REQUEST_ID_BYTES: usize = 64;

/// The details of a call in the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallDetails {
    pub request_id: ArrayString<MAX_REQUEST_ID_BYTES>,
    pub method: &'static str,
    /// The route's pattern. The path itself could contain anything.
    pub route: Cow<'static, str>,
    pub status: u16,
    /// The time from the request's arrival until its response was ready.
    pub duration: Duration,
}

/// An entry of the call log.
#[derive(Debug)]
pub struct Call {
    pub key: KeyId,
    /// None in demo data.
    pub secret_id: Option<SecretId>,
    pub used: Use,
    pub details: CallDetails,
}

/// The time and the address of a key's last successful call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastUse {
    pub at: DateTime<Utc>,
    pub address: Option<IpAddr>,
}

/// The usage of a key that is not written yet.
#[derive(Debug, Default)]
pub struct UsageDelta {
    /// A key has few verdicts in few hours: a list is smaller than a map and no slower.
    pub hours: Vec<(DateTime<Utc>, Verdict, i64)>,
    pub last: Option<LastUse>,
}

impl UsageDelta {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hours.is_empty() && self.last.is_none()
    }

    pub fn count(&mut self, hour: DateTime<Utc>, verdict: Verdict, more: i64) {
        match self.hours.iter_mut().find(|(other, known, _)| *other == hour && *known == verdict) {
            Some((.., count)) => *count += more,
            None => self.hours.push((hour, verdict, more)),
        }
    }

    pub fn set_last_use(&mut self, latest: LastUse) {
        if self.last.is_none_or(|last| last.at <= latest.at) {
            self.last = Some(latest);
        }
    }
}

/// A person's use of legacy authentication: the number of calls and the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LegacyCount {
    pub first: DateTime<Utc>,
    pub last: DateTime<Utc>,
    pub count: i64,
}

impl LegacyCount {
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last), count: self.count + other.count }
    }
}

/// Returns the beginning of the hour of an instant.
#[must_use]
pub fn whole_hour(instant: DateTime<Utc>) -> DateTime<Utc> {
    instant.duration_trunc(TimeDelta::hours(1)).unwrap_or(instant)
}
