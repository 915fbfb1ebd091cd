//! Rate limits. A key limited to 100 calls a minute never makes 101 in any 60-second window, and no call under the
//! limit is refused.
//!
//! Calls are counted by the second in which they came, with the instant of the last of them. A second counts as a
//! whole until its last call is 60 seconds old, so a call waits less than a second longer than it would if every
//! single instant were remembered, and no window of 60 seconds ever holds more than the limit.

use std::collections::VecDeque;

use crate::clock::Millis;

const SECOND_MS: Millis = 1_000;
const WINDOW_MS: Millis = 60 * SECOND_MS;

/// The remaining quota of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    pub limit: u16,
    pub remaining: u16,
    /// Until more is left: until the call that was refused would be let through, or else until the oldest call is
    /// forgotten. In whole seconds, never 0.
    pub reset_seconds: u64,
}

/// The calls of one key in the last minute. A window of 60 seconds touches at most 61 seconds of the clock, so there
/// are at most 61 slots, and none for an idle key.
#[derive(Debug, Clone, Default)]
pub struct Window {
    /// The oldest first.
    slots: VecDeque<Slot>,
    /// The calls in all of them.
    used: u32,
}

/// The calls of one second.
#[derive(Debug, Clone, Copy)]
struct Slot {
    /// A second of the clock.
    second: u32,
    /// The instant of the last call, after the second began.
    last: u16,
    calls: u16,
}

impl Slot {
    fn last(self) -> Millis {
        Millis::from(self.second) * SECOND_MS + Millis::from(self.last)
    }

    fn leaves_at(self) -> Millis {
        self.last() + WINDOW_MS
    }
}

impl Window {
    /// Takes this many calls from the limit, or none.
    ///
    /// # Errors
    /// What is left and when to come back, when it is not enough.
    pub fn take(&mut self, limit: u16, cost: u16, now: Millis) -> Result<Quota, Quota> {
        let now = self.forget_until(now);
        if self.used + u32::from(cost) > u32::from(limit) {
            let reset_seconds = self.wait_for(cost, limit, now);
            return Err(Quota { limit, remaining: self.remaining(limit), reset_seconds });
        }
        if cost > 0 {
            self.add(cost, now);
        }
        Ok(self.as_of(limit, now))
    }

    /// Returns the remaining quota without consuming any.
    pub fn quota(&mut self, limit: u16, now: Millis) -> Quota {
        let now = self.forget_until(now);
        self.as_of(limit, now)
    }

    /// Returns true if there is nothing left to remember.
    pub fn is_idle(&mut self, now: Millis) -> bool {
        self.forget_until(now);
        self.slots.is_empty()
    }

    /// Forgets seconds outside the window. A caller that read the clock earlier than the previous one is treated as
    /// equally late.
    fn forget_until(&mut self, now: Millis) -> Millis {
        let now = self.slots.back().map_or(now, |latest| latest.last().max(now));
        while let Some(oldest) = self.slots.front().filter(|slot| slot.leaves_at() <= now) {
            self.used -= u32::from(oldest.calls);
            self.slots.pop_front();
        }
        if self.slots.is_empty() {
            // Most keys are idle most of the time.
            self.slots = VecDeque::new();
        }
        now
    }

    fn add(&mut self, cost: u16, now: Millis) {
        let second = u32::try_from(now / SECOND_MS).unwrap_or(u32::MAX);
        let last = u16::try_from(now % SECOND_MS).unwrap_or_default();
        self.used += u32::from(cost);
        match self.slots.back_mut().filter(|slot| slot.second == second) {
            Some(slot) => *slot = Slot { calls: slot.calls + cost, last, ..*slot },
            None => self.slots.push_back(Slot { second, last, calls: cost }),
        }
    }

    fn remaining(&self, limit: u16) -> u16 {
        u32::from(limit).saturating_sub(self.used).try_into().unwrap_or(limit)
    }

    fn as_of(&self, limit: u16, now: Millis) -> Quota {
        let leaves_at = self.slots.front().map_or(now + WINDOW_MS, |oldest| oldest.leaves_at());
        Quota { limit, remaining: self.remaining(limit), reset_seconds: whole_seconds(leaves_at - now) }
    }

    /// Returns how long until this many more calls fit; a whole window if they never will.
    fn wait_for(&self, cost: u16, limit: u16, now: Millis) -> u64 {
        let mut used = self.used;
        for slot in &self.slots {
            used -= u32::from(slot.calls);
            if used + u32::from(cost) <= u32::from(limit) {
                return whole_seconds(slot.leaves_at() - now);
            }
        }
        WINDOW_MS / SECOND_MS
    }
}

fn whole_seconds(millis: Millis) -> u64 {
    millis.div_ceil(SECOND_MS).max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn limit_is_admitted_exactly() {
        let mut window = Window::default();
        for left in (0..60).rev() {
            assert_eq!(window.take(60, 1, 1_500).map(|quota| quota.remaining), Ok(left));
        }
        assert_eq!(window.take(60, 1, 1_500), Err(Quota { limit: 60, remaining: 0, reset_seconds: 60 }));
        assert!(window.take(60, 1, 61_499).is_err(), "not a moment earlier");
        assert!(window.take(60, 1, 61_500).is_ok());
    }

    #[test]
    fn refused_and_free_calls_cost_nothing() {
        let mut window = Window::default();
        assert!(window.take(2, 2, 0).is_ok());
        for second in 1..59 {
            assert!(window.take(2, 1, second * SECOND_MS).is_err());
        }
        assert!(window.take(2, 0, 59 * SECOND_MS).is_ok());
        assert!(window.take(2, 2, 60 * SECOND_MS).is_ok());
    }

    #[test]
    fn changed_limit_applies_from_the_next_call() {
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
    fn window_is_small_and_idle_windows_take_no_memory() {
        let mut window = Window::default();
        for second in 0..1_000 {
            assert!(window.take(1_000, 1, second * SECOND_MS).is_ok());
            assert!(window.slots.len() <= 61);
        }
        assert!(!window.is_idle(1_000 * SECOND_MS));
        assert!(window.is_idle(1_059 * SECOND_MS));
        assert_eq!(window.slots.capacity(), 0);
    }

    #[test]
    fn late_clock_reading_changes_nothing() {
        let mut window = Window::default();
        assert!(window.take(2, 1, 5_000).is_ok());
        assert!(window.take(2, 1, 4_000).is_ok());
        assert!(window.take(2, 1, 64_999).is_err());
        assert!(window.take(2, 1, 65_000).is_ok());
    }

    /// Every instant of every call that was let through.
    fn in_window(log: &[(Millis, u16)], until: Millis, length: Millis) -> u32 {
        let counted = log.iter().filter(|(at, _)| *at <= until && *at + length > until);
        counted.map(|(_, cost)| u32::from(*cost)).sum()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]

        /// Compared with a plain list of instants: no window holds more than the limit, a refusal is exact to one
        /// second, and a client that returns when told to is admitted.
        #[test]
        fn window_slides(
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
                        prop_assert!(in_window(&log, now, WINDOW_MS) <= u32::from(limit), "more than the limit");
                        prop_assert!(u32::from(quota.remaining) <= u32::from(limit) - in_window(&log, now, WINDOW_MS));
                    }
                    Err(quota) => {
                        let a_second_ago = in_window(&log, now, WINDOW_MS + SECOND_MS);
                        prop_assert!(a_second_ago + u32::from(cost) > u32::from(limit), "refused for too long");
                        prop_assert!(cost > limit || quota.reset_seconds <= 60);
                        let mut later = window.clone();
                        let back = now + quota.reset_seconds * SECOND_MS;
                        prop_assert!(cost > limit || later.take(limit, cost, back).is_ok(), "told the wrong time");
                    }
                }
            }
        }
    }
}
