//! Guessing at passwords is slowed down, without giving strangers a way to lock somebody out.
//!
//! Three counters forget after a quarter of an hour: one for an account seen from one address, one for an
//! address whatever the account, and one for an account whatever the address. The last is what stops
//! guesses that are spread over many addresses; it does not bind an address from which the person has
//! signed in before, so that no stranger can keep them out.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{id::PersonId, network::client_network, person::Email};

const WINDOW: TimeDelta = TimeDelta::minutes(15);
const MOST_FOR_ACCOUNT_FROM_ADDRESS: u32 = 10;
const MOST_FROM_ADDRESS: u32 = 100;
const MOST_FOR_ACCOUNT: u32 = 50;
const MOST_OF_PERSON: u32 = 10;

/// Above this many counters the ones whose window has passed are swept out.
const SWEEP_ABOVE: usize = 10_000;

/// There are never more counters than this. Nobody outside can tell which accounts share one.
const SLOTS: u64 = 1 << 18;

#[derive(Default)]
pub(crate) struct Throttle {
    slots: RandomState,
    counters: Mutex<HashMap<u64, Counter>>,
}

struct Counter {
    since: DateTime<Utc>,
    attempts: u32,
}

/// One attempt at signing in.
pub(crate) struct Attempt<'a> {
    pub(crate) email: &'a Email,
    pub(crate) address: IpAddr,
    /// Whether the person has signed in from this address before.
    pub(crate) known_address: bool,
}

/// What a person is asked for beyond their sign-in. Each is counted by itself: whoever guesses at the codes of somebody
/// whose password they stole does not keep them from changing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Proof {
    Code,
    CurrentPassword,
}

impl Throttle {
    /// The counters that an attempt counts on, each with how many attempts it allows.
    fn limits(&self, attempt: &Attempt<'_>) -> Vec<(u64, u32)> {
        let network = client_network(attempt.address);
        let account = attempt.email.as_str();
        let mut limits = vec![
            (self.slot(&("both", account, network)), MOST_FOR_ACCOUNT_FROM_ADDRESS),
            (self.slot(&("address", network)), MOST_FROM_ADDRESS),
        ];
        if !attempt.known_address {
            limits.push((self.slot(&("account", account)), MOST_FOR_ACCOUNT));
        }
        limits
    }

    fn slot(&self, what: &impl Hash) -> u64 {
        self.slots.hash_one(what) % SLOTS
    }

    /// Checks that no counter of the attempt has reached its limit. Nothing is counted: only failures are, so that a
    /// client may send as many correct passwords concurrently as it likes.
    ///
    /// # Errors
    /// How long to wait, when there were too many failures.
    pub(crate) fn check(&self, attempt: &Attempt<'_>, now: DateTime<Utc>) -> Result<(), Duration> {
        check(&self.lock(), &self.limits(attempt), now)
    }

    /// Counts a wrong password. Of concurrent guesses, no more are told that they are wrong than the limit allows.
    ///
    /// # Errors
    /// How long to wait, when other guesses have reached the limit in the meantime.
    pub(crate) fn count_failure(&self, attempt: &Attempt<'_>, now: DateTime<Utc>) -> Result<(), Duration> {
        self.count(&self.limits(attempt), now)
    }

    /// Counts a guess at what else a person knows or has. Strangers do not come so far, so nobody can be locked out by
    /// them.
    ///
    /// # Errors
    /// How long to wait, when there were too many.
    pub(crate) fn begin_proof(&self, person: &PersonId, proof: Proof, now: DateTime<Utc>) -> Result<(), Duration> {
        self.count(&[self.limit_of(person, proof)], now)
    }

    fn limit_of(&self, person: &PersonId, proof: Proof) -> (u64, u32) {
        (self.slot(&(person, proof)), MOST_OF_PERSON)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Counter>> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, limits: &[(u64, u32)], now: DateTime<Utc>) -> Result<(), Duration> {
        let mut counters = self.lock();
        if counters.len() > SWEEP_ABOVE {
            counters.retain(|_, counter| now - counter.since < WINDOW);
        }
        check(&counters, limits, now)?;
        for (slot, _) in limits {
            let counter = counters.entry(*slot).or_insert(Counter { since: now, attempts: 0 });
            if now - counter.since >= WINDOW {
                *counter = Counter { since: now, attempts: 0 };
            }
            counter.attempts += 1;
        }
        Ok(())
    }

    /// A right proof takes its attempt back.
    pub(crate) fn proof_succeeded(&self, person: &PersonId, proof: Proof) {
        let (slot, _) = self.limit_of(person, proof);
        if let Some(counter) = self.lock().get_mut(&slot) {
            counter.attempts = counter.attempts.saturating_sub(1);
        }
    }
}

fn check(counters: &HashMap<u64, Counter>, limits: &[(u64, u32)], now: DateTime<Utc>) -> Result<(), Duration> {
    for (slot, limit) in limits {
        let exhausted = counters.get(slot).filter(|counter| now - counter.since < WINDOW && counter.attempts >= *limit);
        if let Some(counter) = exhausted {
            return Err((counter.since + WINDOW - now).to_std().unwrap_or_default());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> Email {
        Email::parse(text).unwrap()
    }

    fn attempt<'a>(email: &'a Email, address: &str) -> Attempt<'a> {
        Attempt { email, address: address.parse().unwrap(), known_address: false }
    }

    fn start() -> DateTime<Utc> {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_eleventh_guess_at_an_account_from_one_address_waits() {
        let throttle = Throttle::default();
        let ana = email("ana@acme.test");
        for _ in 0..MOST_FOR_ACCOUNT_FROM_ADDRESS {
            throttle.count_failure(&attempt(&ana, "203.0.113.7"), start()).unwrap();
        }
        let wait = throttle.count_failure(&attempt(&ana, "203.0.113.7"), start() + TimeDelta::minutes(5)).unwrap_err();
        assert_eq!(wait, Duration::from_secs(600));
        assert!(throttle.count_failure(&attempt(&ana, "203.0.113.8"), start()).is_ok(), "from elsewhere");
        assert!(
            throttle.count_failure(&attempt(&email("ben@acme.test"), "203.0.113.7"), start()).is_ok(),
            "at another account"
        );
        assert!(
            throttle.count_failure(&attempt(&ana, "203.0.113.7"), start() + WINDOW).is_ok(),
            "a quarter of an hour later"
        );
    }

    #[test]
    fn strangers_everywhere_cannot_lock_out_a_known_address() {
        let throttle = Throttle::default();
        let ana = email("ana@acme.test");
        let from = |n: u32| format!("203.0.{}.{}", n / 250, n % 250);
        for n in 0..MOST_FOR_ACCOUNT {
            throttle.count_failure(&attempt(&ana, &from(n)), start()).unwrap();
        }
        assert!(throttle.count_failure(&attempt(&ana, "198.51.100.1"), start()).is_err(), "a stranger");
        let home = Attempt { known_address: true, ..attempt(&ana, "198.51.100.2") };
        assert!(throttle.count_failure(&home, start()).is_ok(), "her own address");
    }

    #[test]
    fn one_network_cannot_try_all_accounts() {
        let throttle = Throttle::default();
        for n in 0..MOST_FROM_ADDRESS {
            let address = format!("2001:db8::{n:x}");
            throttle.count_failure(&attempt(&email(&format!("p{n}@acme.test")), &address), start()).unwrap();
        }
        assert!(throttle.count_failure(&attempt(&email("ana@acme.test"), "2001:db8::ffff"), start()).is_err());
        assert!(throttle.count_failure(&attempt(&email("ana@acme.test"), "2001:db8:0:1::1"), start()).is_ok());
    }

    #[test]
    fn exhausted_limit_refuses_before_the_password_is_checked() {
        let throttle = Throttle::default();
        let ana = email("ana@acme.test");
        for _ in 0..MOST_FOR_ACCOUNT_FROM_ADDRESS {
            throttle.check(&attempt(&ana, "203.0.113.7"), start()).unwrap();
            throttle.count_failure(&attempt(&ana, "203.0.113.7"), start()).unwrap();
        }
        assert!(throttle.check(&attempt(&ana, "203.0.113.7"), start()).is_err());
        assert!(throttle.check(&attempt(&ana, "203.0.113.7"), start() + WINDOW).is_ok());
    }
}
