//! Security events for operators: a log line and a count each. Neither contains a password, a code, a token or a typed
//! e-mail address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use domain::{id::PersonId, network::client_network};
use verify::Millis;

use crate::{ActiveSession, Keyring, error::Error};

/// The counted events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecurityEvent {
    /// A wrong e-mail address or password. Which of them it was is not counted: the counts are public.
    WrongCredentials,
    WrongCode,
    WrongCurrentPassword,
    /// An attempt that was refused because there had been too many failures.
    Throttled,
    /// A function of the console that the person may not call.
    Forbidden,
    TokenIssued,
}

impl SecurityEvent {
    pub const ALL: [Self; 6] = [
        Self::WrongCredentials,
        Self::WrongCode,
        Self::WrongCurrentPassword,
        Self::Throttled,
        Self::Forbidden,
        Self::TokenIssued,
    ];
}

/// Why a sign-in failed, for the log alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureReason {
    UnknownEmail,
    /// Persons of several tenants have the address, and none was named.
    AmbiguousEmail,
    WrongPassword,
    Deactivated,
    WrongCode,
    WrongCurrentPassword,
}

impl FailureReason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownEmail => "unknown_email",
            Self::AmbiguousEmail => "ambiguous_email",
            Self::WrongPassword => "wrong_password",
            Self::Deactivated => "deactivated",
            Self::WrongCode => "wrong_code",
            Self::WrongCurrentPassword => "wrong_current_password",
        }
    }

    const fn event(self) -> SecurityEvent {
        match self {
            Self::UnknownEmail | Self::AmbiguousEmail | Self::WrongPassword | Self::Deactivated => {
                SecurityEvent::WrongCredentials
            }
            Self::WrongCode => SecurityEvent::WrongCode,
            Self::WrongCurrentPassword => SecurityEvent::WrongCurrentPassword,
        }
    }
}

/// The interval at which events are logged that clients can repeat without limit.
const SAMPLED_LOG_INTERVAL: Millis = 60_000;

/// Above this many samples, those whose interval has passed are forgotten, and all when that is not enough.
const MAX_SAMPLES: usize = 10_000;

#[derive(Default)]
pub(crate) struct SecurityEvents {
    /// In the order of [`SecurityEvent::ALL`].
    counts: [AtomicU64; SecurityEvent::ALL.len()],
    /// By network and message.
    samples: Mutex<HashMap<(IpAddr, &'static str), Sample>>,
}

/// The number of events since the last log line.
struct Sample {
    logged_at: Millis,
    unlogged: u64,
}

impl SecurityEvents {
    fn count(&self, event: SecurityEvent) {
        let place = SecurityEvent::ALL.iter().position(|other| *other == event);
        if let Some(count) = place.and_then(|place| self.counts.get(place)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn report_failure(&self, reason: FailureReason, person: Option<&PersonId>, address: IpAddr) {
        self.count(reason.event());
        let person = person.map(tracing::field::display);
        tracing::warn!(reason = reason.as_str(), %address, person, "sign-in failed");
    }

    pub(crate) fn report_token_issued(&self, person: &PersonId, address: IpAddr) {
        self.count(SecurityEvent::TokenIssued);
        tracing::warn!(%address, %person, "access token issued");
    }

    /// Reports an attempt that was refused because there had been too many failures.
    pub(crate) fn report_throttled(&self, person: Option<&PersonId>, address: IpAddr, now: Millis) {
        self.count(SecurityEvent::Throttled);
        if let Some(attempts) = self.sample("sign-in throttled", address, now) {
            let person = person.map(tracing::field::display);
            tracing::warn!(reason = "throttled", %address, person, attempts, "sign-in throttled");
        }
    }

    /// Reports an attempt with text that cannot be an e-mail address. It costs no time, so no limit stops it.
    pub(crate) fn report_malformed_email(&self, address: IpAddr, now: Millis) {
        self.count(SecurityEvent::WrongCredentials);
        if let Some(attempts) = self.sample("malformed e-mail address", address, now) {
            tracing::warn!(reason = "malformed_email", %address, attempts, "sign-in failed");
        }
    }

    /// Returns how often this has happened since it was last logged for the network, if it is time to log it again:
    /// the first time, and then once a minute.
    fn sample(&self, message: &'static str, address: IpAddr, now: Millis) -> Option<u64> {
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.len() >= MAX_SAMPLES {
            samples.retain(|_, sample| now.saturating_sub(sample.logged_at) < SAMPLED_LOG_INTERVAL);
        }
        if samples.len() >= MAX_SAMPLES {
            samples.clear();
        }
        let key = (client_network(address), message);
        let Some(sample) = samples.get_mut(&key) else {
            samples.insert(key, Sample { logged_at: now, unlogged: 0 });
            return Some(1);
        };
        sample.unlogged += 1;
        if now.saturating_sub(sample.logged_at) < SAMPLED_LOG_INTERVAL {
            return None;
        }
        sample.logged_at = now;
        Some(std::mem::take(&mut sample.unlogged))
    }
}

impl Keyring {
    /// Reports that a person called a function that they may not call.
    pub fn report_forbidden(&self, signed_in: &ActiveSession, function: &str, error: &Error) {
        self.security_events.count(SecurityEvent::Forbidden);
        let (person, address) = (&signed_in.person.id, signed_in.address);
        tracing::warn!(reason = error.reason(), %address, %person, function, "function forbidden");
    }

    /// Takes the number of events of each kind since the last call.
    #[must_use]
    pub fn take_security_events(&self) -> [(SecurityEvent, u64); SecurityEvent::ALL.len()] {
        let mut counts = self.security_events.counts.iter();
        SecurityEvent::ALL.map(|event| (event, counts.next().map_or(0, |count| count.swap(0, Ordering::Relaxed))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_event_of_a_network_is_logged_once_a_minute() {
        let events = SecurityEvents::default();
        let logged = |address: &str, now| events.sample("throttled", address.parse().unwrap(), now);
        assert_eq!(logged("2001:db8::1", 1_000), Some(1));
        for _ in 0..500 {
            assert_eq!(logged("2001:db8::2", 60_999), None);
        }
        assert_eq!(logged("203.0.113.7", 60_999), Some(1), "another network");
        assert_eq!(events.sample("malformed", "2001:db8::1".parse().unwrap(), 60_999), Some(1), "another message");
        assert_eq!(logged("2001:db8::1", 61_000), Some(501));
        assert_eq!(logged("2001:db8::1", 61_000), None);
    }

    #[test]
    fn samples_are_bounded() {
        let events = SecurityEvents::default();
        for number in 0..30_000u32 {
            events.sample("throttled", std::net::Ipv4Addr::from(number).into(), 1_000);
        }
        assert!(events.samples.lock().unwrap().len() <= MAX_SAMPLES);
    }
}
