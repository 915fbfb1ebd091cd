//! Secrets that nobody has: whoever sends many of them in a minute is told to wait.
//!
//! It slows down whoever is guessing or misconfigured. Nothing depends on it for safety, since 256 random bits are
//! not guessed, and a good key is never refused on account of its neighbours.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{clock::Millis, throttle::network_of};

const MOST_IN_A_MINUTE: u32 = 300;
const MINUTE: Millis = 60_000;

/// Above this many networks the ones whose minute has passed are swept out, and everything when that is not enough.
const MOST_NETWORKS: usize = 10_000;

#[derive(Default)]
pub(crate) struct Misses {
    counters: Mutex<HashMap<IpAddr, Counter>>,
}

struct Counter {
    since: Millis,
    misses: u32,
}

impl Misses {
    /// Counts a miss of the address's network.
    ///
    /// # Errors
    /// How long to wait, when there were too many.
    pub(crate) fn count(&self, address: IpAddr, now: Millis) -> Result<(), Duration> {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        if counters.len() >= MOST_NETWORKS {
            counters.retain(|_, counter| now - counter.since < MINUTE);
        }
        if counters.len() >= MOST_NETWORKS {
            counters.clear();
        }
        let counter = counters.entry(network_of(address)).or_insert(Counter { since: now, misses: 0 });
        if now - counter.since >= MINUTE {
            *counter = Counter { since: now, misses: 0 };
        }
        counter.misses += 1;
        let wait = Duration::from_millis(counter.since + MINUTE - now);
        if counter.misses > MOST_IN_A_MINUTE { Err(wait) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn misses(count: u32, from: &str, misses: &Misses) {
        for _ in 0..count {
            misses.count(from.parse().unwrap(), 1_000).unwrap();
        }
    }

    #[test]
    fn one_network_waits_and_the_others_do_not() {
        let counted = Misses::default();
        misses(MOST_IN_A_MINUTE, "2001:db8::1", &counted);
        let wait = counted.count("2001:db8::2".parse().unwrap(), 11_000).unwrap_err();
        assert_eq!(wait, Duration::from_secs(50));
        misses(MOST_IN_A_MINUTE, "203.0.113.7", &counted);
        assert!(counted.count("2001:db8::1".parse().unwrap(), 61_000).is_ok(), "a minute later");
    }

    #[test]
    fn the_counters_are_bounded() {
        let counted = Misses::default();
        for number in 0..30_000u32 {
            counted.count(std::net::Ipv4Addr::from(number).into(), 1_000).unwrap();
        }
        assert!(counted.counters.lock().unwrap().len() <= MOST_NETWORKS);
    }
}
