//! Rate limits: never more calls than the limit in any 60 seconds, and nobody under it refused.
//!
//! Calls are counted by the second in which they came, with the instant of the last of them. A second counts as a
//! whole until its last call is 60 seconds old, so a call waits less than a second longer than it would if every
//! single instant were remembered, and no window of 60 seconds ever holds more than the limit.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
};

use domain::{id::KeyId, rate_limit::RateLimit};

/// Milliseconds on a clock that never goes back.
pub(crate) type Millis = u64;

const SECOND: Millis = 1_000;
const WINDOW: Millis = 60 * SECOND;

/// A window of 60 seconds touches 61 seconds of the clock.
const SLOTS: usize = 61;

const SHARDS: usize = 16;

/// At this many keys in a shard, those that have not called for a minute are swept out for the first time.
const FIRST_SWEEP: usize = 1_024;

/// What a key has left of its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    pub limit: u16,
    pub remaining: u16,
    /// Until more is left: until the call that was refused would be let through, or else until the oldest call is
    /// forgotten. In whole seconds, never 0.
    pub reset_seconds: u64,
}

/// The calls of the last minute, of every key that made one.
pub(crate) struct Limiter {
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

struct Shard {
    windows: HashMap<KeyId, Window>,
    /// How many windows there may be before idle ones are swept out.
    sweep_at: usize,
}

impl Default for Shard {
    fn default() -> Self {
        Self { windows: HashMap::new(), sweep_at: FIRST_SWEEP }
    }
}

impl Shard {
    /// Sweeps when the shard has doubled since the last time, so that sweeping costs each new key the same little.
    fn make_room(&mut self, now: Millis) {
        if self.windows.len() >= self.sweep_at {
            self.windows.retain(|_, window| window.live(now).next().is_some());
            self.sweep_at = (self.windows.len() * 2).max(FIRST_SWEEP);
        }
    }
}

impl Default for Limiter {
    fn default() -> Self {
        Self { hasher: RandomState::new(), shards: std::array::from_fn(|_| Mutex::default()) }
    }
}

impl Limiter {
    /// Takes so many calls from the key's limit, or nothing at all.
    ///
    /// # Errors
    /// What is left and when to come back, when it is not enough.
    pub(crate) fn take(&self, key: &KeyId, limit: RateLimit, cost: u16, now: Millis) -> Result<Quota, Quota> {
        let mut shard = self.shard(key).lock().unwrap_or_else(PoisonError::into_inner);
        shard.make_room(now);
        shard.windows.entry(key.clone()).or_default().take(limit.per_minute(), cost, now)
    }

    /// What is left, with nothing taken.
    pub(crate) fn look(&self, key: &KeyId, limit: RateLimit, now: Millis) -> Quota {
        let shard = self.shard(key).lock().unwrap_or_else(PoisonError::into_inner);
        match shard.windows.get(key) {
            Some(window) => window.quota(limit.per_minute(), now),
            None => Window::default().quota(limit.per_minute(), now),
        }
    }

    fn shard(&self, key: &KeyId) -> &Mutex<Shard> {
        let hash = self.hasher.hash_one(key);
        &self.shards[(hash % SHARDS as u64) as usize]
    }
}

/// The calls of one key, in constant memory.
struct Window {
    slots: [Slot; SLOTS],
}

/// The calls of one second.
#[derive(Clone, Copy, Default)]
struct Slot {
    calls: u16,
    last: Millis,
}

impl Slot {
    fn leaves_at(self) -> Millis {
        self.last + WINDOW
    }
}

impl Default for Window {
    fn default() -> Self {
        Self { slots: [Slot::default(); SLOTS] }
    }
}

impl Window {
    fn take(&mut self, limit: u16, cost: u16, now: Millis) -> Result<Quota, Quota> {
        let used = self.used(now);
        if used + u32::from(cost) > u32::from(limit) {
            let remaining = u32::from(limit).saturating_sub(used);
            let reset_seconds = self.wait_for(cost, limit, now);
            return Err(Quota { limit, remaining: remaining.try_into().unwrap_or(limit), reset_seconds });
        }
        if cost > 0 {
            let slot = &mut self.slots[(now / SECOND) as usize % SLOTS];
            let is_this_second = slot.last / SECOND == now / SECOND;
            let before = if is_this_second { slot.calls } else { 0 };
            *slot = Slot { calls: before + cost, last: now };
        }
        Ok(self.quota(limit, now))
    }

    fn quota(&self, limit: u16, now: Millis) -> Quota {
        let remaining = u32::from(limit).saturating_sub(self.used(now));
        let oldest = self.live(now).map(Slot::leaves_at).min().unwrap_or(now + WINDOW);
        Quota { limit, remaining: remaining.try_into().unwrap_or(limit), reset_seconds: whole_seconds(oldest - now) }
    }

    /// The seconds that still count.
    fn live(&self, now: Millis) -> impl Iterator<Item = Slot> {
        self.slots.into_iter().filter(move |slot| slot.calls > 0 && slot.leaves_at() > now)
    }

    fn used(&self, now: Millis) -> u32 {
        self.live(now).map(|slot| u32::from(slot.calls)).sum()
    }

    /// How long until so many more calls fit; a whole window when they never will.
    fn wait_for(&self, cost: u16, limit: u16, now: Millis) -> u64 {
        let mut leaving: Vec<Slot> = self.live(now).collect();
        leaving.sort_by_key(|slot| slot.last);
        let mut used = self.used(now);
        for slot in leaving {
            used -= u32::from(slot.calls);
            if used + u32::from(cost) <= u32::from(limit) {
                return whole_seconds(slot.leaves_at() - now);
            }
        }
        WINDOW / SECOND
    }
}

fn whole_seconds(millis: Millis) -> u64 {
    millis.div_ceil(SECOND).max(1)
}

#[cfg(test)]
mod tests {
    use domain::id::Id;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_limit_is_let_through_and_no_more() {
        let mut window = Window::default();
        for left in (0..60).rev() {
            assert_eq!(window.take(60, 1, 1_500).map(|quota| quota.remaining), Ok(left));
        }
        assert_eq!(window.take(60, 1, 1_500), Err(Quota { limit: 60, remaining: 0, reset_seconds: 60 }));
        assert!(window.take(60, 1, 61_499).is_err(), "not a moment earlier");
        assert!(window.take(60, 1, 61_500).is_ok());
    }

    #[test]
    fn a_refused_call_costs_nothing_and_a_free_one_neither() {
        let mut window = Window::default();
        assert!(window.take(2, 2, 0).is_ok());
        for second in 1..59 {
            assert!(window.take(2, 1, second * SECOND).is_err());
        }
        assert!(window.take(2, 0, 59 * SECOND).is_ok());
        assert!(window.take(2, 2, 60 * SECOND).is_ok());
    }

    #[test]
    fn another_limit_counts_from_the_next_call() {
        let mut window = Window::default();
        for _ in 0..10 {
            assert!(window.take(10, 1, 0).is_ok());
        }
        assert!(window.take(10, 1, 1).is_err());
        assert_eq!(window.take(12, 1, 2).map(|quota| quota.remaining), Ok(1));
        assert_eq!(window.take(5, 1, 3).map_err(|quota| quota.remaining), Err(0));
        assert_eq!(window.quota(5, 3).remaining, 0);
    }

    #[test]
    fn keys_do_not_share_and_idle_ones_are_forgotten() {
        let limiter = Limiter::default();
        let limit = RateLimit::try_from(1).unwrap();
        let key = |number: u32| KeyId::parse(&format!("key_{number:026}")).unwrap();
        for number in 0..40_000 {
            assert!(limiter.take(&key(number), limit, 1, 5).is_ok());
        }
        assert!(limiter.take(&key(7), limit, 1, 5).is_err());
        assert_eq!(limiter.look(&key(7), limit, 5).remaining, 0);
        for number in 40_000..80_000 {
            assert!(limiter.take(&key(number), limit, 1, WINDOW + 5 + u64::from(number)).is_ok());
        }
        let kept: usize = limiter.shards.iter().map(|shard| shard.lock().unwrap().windows.len()).sum();
        assert!(kept < 60_000, "{kept} are still remembered");
    }

    /// Every instant of every call that was let through.
    fn in_window(log: &[(Millis, u16)], until: Millis, length: Millis) -> u32 {
        let counted = log.iter().filter(|(at, _)| *at <= until && *at + length > until);
        counted.map(|(_, cost)| u32::from(*cost)).sum()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]

        /// Against a plain log of instants: no window holds more than the limit, a refusal is right up to a second,
        /// and whoever comes back when told to is let through.
        #[test]
        fn it_is_a_sliding_minute(
            limit in 1u16..12,
            calls in prop::collection::vec((prop_oneof![0u64..40, 0u64..1_500, 500u64..40_000], 0u16..3), 1..200),
        ) {
            let mut window = Window::default();
            let mut log: Vec<(Millis, u16)> = Vec::new();
            let mut now = 123_456;
            for (pause, cost) in calls {
                now += pause;
                match window.take(limit, cost, now) {
                    Ok(quota) => {
                        log.push((now, cost));
                        prop_assert!(in_window(&log, now, WINDOW) <= u32::from(limit), "more than the limit");
                        prop_assert!(u32::from(quota.remaining) <= u32::from(limit) - in_window(&log, now, WINDOW));
                    }
                    Err(quota) => {
                        let a_second_ago = in_window(&log, now, WINDOW + SECOND);
                        prop_assert!(a_second_ago + u32::from(cost) > u32::from(limit), "refused for too long");
                        prop_assert!(cost > limit || quota.reset_seconds <= 60);
                        let mut later = Window { slots: window.slots };
                        let back = now + quota.reset_seconds * SECOND;
                        prop_assert!(cost > limit || later.take(limit, cost, back).is_ok(), "told the wrong time");
                    }
                }
            }
        }
    }
}
