//! Limits how many unknown keys one network can send in a minute, and so how often it makes the database look for one.
//!
//! The limit protects the database. It makes no key safer, since 256 random bits cannot be guessed. A key that this
//! server has seen before is admitted independently of other clients in its network. One that it has not seen yet waits
//! like an unknown key while its network is over the limit, because only the database could distinguish the two.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::network::client_network;
use tokio::sync::Semaphore;

use crate::clock::Millis;

const MAX_UNKNOWN_KEYS: usize = 300;
const UNKNOWN_KEYS_WINDOW_MS: Millis = 60_000;

/// The number of networks from which expired ones are removed, and all of them if that is not enough.
const MAX_NETWORKS: usize = 10_000;

#[derive(Default)]
pub struct UnknownKeyLimit {
    networks: Mutex<HashMap<IpAddr, Arc<Window>>>,
}

/// The unknown keys of one network since it sent the first of them.
struct Window {
    ends_at: Millis,
    unknown: AtomicUsize,
    /// A permit for each unknown key that the network can still send. A look-up holds one while it runs, so that look-ups
    /// in parallel cannot exceed the limit; a known key returns it. Closed when the limit is reached.
    permits: Semaphore,
}

impl Window {
    fn new(now: Millis) -> Self {
        Self {
            ends_at: now + UNKNOWN_KEYS_WINDOW_MS,
            unknown: AtomicUsize::new(0),
            permits: Semaphore::new(MAX_UNKNOWN_KEYS),
        }
    }

    fn has_ended(&self, now: Millis) -> bool {
        now >= self.ends_at
    }

    fn time_left(&self, now: Millis) -> Duration {
        Duration::from_millis(self.ends_at.saturating_sub(now))
    }

    fn count(&self) {
        if self.unknown.fetch_add(1, Ordering::Relaxed) + 1 >= MAX_UNKNOWN_KEYS {
            self.permits.close();
        }
    }
}

/// A look-up that counts as one of an unknown key when it is dropped. That includes a client that disconnects before
/// the answer: disconnecting must not get around the limit.
#[must_use]
pub struct LimitedLookUp {
    window: Option<Arc<Window>>,
}

impl LimitedLookUp {
    /// Does not count the look-up: the key exists, or the database failed.
    pub fn refund(mut self) {
        if let Some(window) = self.window.take() {
            window.permits.add_permits(1);
        }
    }
}

impl Drop for LimitedLookUp {
    fn drop(&mut self) {
        if let Some(window) = &self.window {
            window.count();
        }
    }
}

impl UnknownKeyLimit {
    /// Counts a key that is known not to exist without a look-up.
    ///
    /// # Errors
    /// How long the network has to wait, when it has reached the limit before.
    pub fn count(&self, address: IpAddr, now: Millis) -> Result<(), Duration> {
        let window = self.window(address, now);
        match window.permits.try_acquire() {
            Ok(permit) => permit.forget(),
            Err(_) if window.permits.is_closed() => return Err(window.time_left(now)),
            // The running look-ups hold all the permits. This key needs none, and is counted as well.
            Err(_) => {}
        }
        window.count();
        Ok(())
    }

    /// Begins a look-up of a key that may be unknown. Waits for those that run while they could reach the limit.
    ///
    /// # Errors
    /// How long the network has to wait, when it has reached the limit.
    pub async fn begin_look_up(&self, address: IpAddr, now: Millis) -> Result<LimitedLookUp, Duration> {
        let window = self.window(address, now);
        match window.permits.acquire().await {
            Ok(permit) => permit.forget(),
            Err(_) => return Err(window.time_left(now)),
        }
        Ok(LimitedLookUp { window: Some(window) })
    }

    fn window(&self, address: IpAddr, now: Millis) -> Arc<Window> {
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        if networks.len() >= MAX_NETWORKS {
            networks.retain(|_, window| !window.has_ended(now));
        }
        if networks.len() >= MAX_NETWORKS {
            networks.clear();
        }
        let window = networks.entry(client_network(address)).or_insert_with(|| Arc::new(Window::new(now)));
        if window.has_ended(now) {
            *window = Arc::new(Window::new(now));
        }
        window.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use futures::{FutureExt, future::join_all};

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn count_many(limit: &UnknownKeyLimit, amount: usize, from: &str) {
        for _ in 0..amount {
            limit.count(address(from), 1_000).unwrap();
        }
    }

    #[test]
    fn one_network_waits_and_others_do_not() {
        let limit = UnknownKeyLimit::default();
        count_many(&limit, MAX_UNKNOWN_KEYS, "2001:db8::1");
        assert_eq!(limit.count(address("2001:db8::2"), 11_000), Err(Duration::from_secs(50)));
        count_many(&limit, MAX_UNKNOWN_KEYS, "203.0.113.7");
        assert_eq!(limit.count(address("2001:db8::1"), 61_000), Ok(()), "a minute later");
    }

    #[tokio::test]
    async fn look_up_is_refused_once_the_limit_is_reached() {
        let limit = UnknownKeyLimit::default();
        let from = address("203.0.113.7");
        for _ in 0..MAX_UNKNOWN_KEYS {
            drop(limit.begin_look_up(from, 1_000).await.unwrap());
        }
        assert_eq!(limit.begin_look_up(from, 2_000).await.err(), Some(Duration::from_secs(59)));
        assert!(limit.begin_look_up(from, 61_000).await.is_ok(), "a minute later");
    }

    #[tokio::test]
    async fn known_keys_are_never_counted() {
        let limit = UnknownKeyLimit::default();
        for _ in 0..2 * MAX_UNKNOWN_KEYS {
            limit.begin_look_up(address("203.0.113.7"), 1_000).await.unwrap().refund();
        }
        count_many(&limit, MAX_UNKNOWN_KEYS, "203.0.113.7");
    }

    #[tokio::test]
    async fn parallel_look_ups_wait_for_each_other() {
        let limit = UnknownKeyLimit::default();
        let begin = || limit.begin_look_up(address("203.0.113.7"), 1_000);
        let mut running = join_all((0..MAX_UNKNOWN_KEYS).map(|_| begin())).await;
        let mut waiting = Box::pin(begin());
        assert!(waiting.as_mut().now_or_never().is_none());
        running.pop().unwrap().unwrap().refund();
        let next = waiting.await.unwrap();

        let mut waiting = Box::pin(begin());
        assert!(waiting.as_mut().now_or_never().is_none());
        drop((running, next));
        assert_eq!(waiting.await.err(), Some(Duration::from_secs(60)), "all of them were unknown");
    }

    #[test]
    fn number_of_networks_is_bounded() {
        let limit = UnknownKeyLimit::default();
        for number in 0..30_000u32 {
            limit.count(Ipv4Addr::from(number).into(), 1_000).unwrap();
        }
        assert!(limit.networks.lock().unwrap().len() <= MAX_NETWORKS);
    }
}
