//! The verdicts that a secret may have, given the changes requested and acknowledged so far.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use latchkey_client::Verdict;

/// All nodes must see a change that grants access within this time.
const SEEN_WITHIN: Duration = Duration::from_secs(1);

/// The verdicts of a key in order, each from when the change that leads to it was requested.
pub struct History(Mutex<Vec<State>>);

struct State {
    verdict: Verdict,
    begun: Instant,
    /// The time after which all nodes had to return this verdict and none of the earlier ones.
    settled: Option<Instant>,
}

impl History {
    /// A new secret, which is valid as soon as it is returned.
    pub fn of_good() -> Self {
        let now = Instant::now();
        Self(Mutex::new(vec![State { verdict: Verdict::Valid, begun: now, settled: Some(now) }]))
    }

    /// To be called before the change is asked for.
    pub fn begin(&self, verdict: Verdict) {
        self.begin_at(verdict, Instant::now());
    }

    /// To be called once the change has been acknowledged.
    pub fn settle(&self) {
        self.settle_at(Instant::now());
    }

    fn begin_at(&self, verdict: Verdict, begun: Instant) {
        self.states().push(State { verdict, begun, settled: None });
    }

    fn settle_at(&self, acknowledged: Instant) {
        if let Some(state) = self.states().last_mut() {
            let narrows = state.verdict != Verdict::Valid;
            state.settled = Some(if narrows { acknowledged } else { acknowledged + SEEN_WITHIN });
        }
    }

    /// Returns whether this verdict may be returned for a request between these instants.
    pub fn allows(&self, verdict: &Verdict, asked: Instant, answered: Instant) -> bool {
        // The last that was settled when the question was put, and those that may have come since.
        let states = self.states();
        let first = states.iter().rposition(|state| state.settled.is_some_and(|settled| settled <= asked));
        let possible = states.iter().skip(first.unwrap_or_default()).filter(|state| state.begun <= answered);
        possible.into_iter().any(|state| state.verdict == *verdict)
    }

    /// Helps to find the cause of a wrong answer.
    pub fn tell(&self, asked: Instant) -> String {
        let ago = |instant: Instant| match asked.checked_duration_since(instant) {
            Some(before) => format!("{} ms before", before.as_millis()),
            None => format!("{} ms after", instant.duration_since(asked).as_millis()),
        };
        let tell = |state: &State| {
            let settled = state.settled.map_or("not settled".to_owned(), |settled| format!("settled {}", ago(settled)));
            format!("{} begun {}, {settled}", state.verdict, ago(state.begun))
        };
        self.states().iter().map(tell).collect::<Vec<_>>().join("; ")
    }

    fn states(&self) -> MutexGuard<'_, Vec<State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Valid from the start; restricted by a change requested at 10 and acknowledged at 20; restored by one requested
    /// at 30 and acknowledged at 40. In seconds.
    fn example() -> (History, impl Fn(u64) -> Instant) {
        let history = History::of_good();
        let start = Instant::now();
        let at = move |seconds| start + Duration::from_secs(seconds);
        history.begin_at(Verdict::IpNotAllowed, at(10));
        history.settle_at(at(20));
        history.begin_at(Verdict::Valid, at(30));
        history.settle_at(at(40));
        (history, at)
    }

    #[test]
    fn answer_is_right_if_it_held_at_some_instant_of_the_request() {
        let (history, at) = example();
        for (asked, answered, valid, refused) in [
            (1, 9, true, false),
            (1, 10, true, true),
            (19, 21, true, true),
            (20, 21, false, true),
            (20, 29, false, true),
            (20, 30, true, true),
            (39, 45, true, true),
            (40, 40, true, true),
            (41, 41, true, false),
        ] {
            let allowed = |verdict| history.allows(&verdict, at(asked), at(answered));
            assert_eq!(allowed(Verdict::Valid), valid, "good, asked from {asked} to {answered}");
            assert_eq!(allowed(Verdict::IpNotAllowed), refused, "refused, asked from {asked} to {answered}");
            assert!(!allowed(Verdict::Revoked), "not requested");
        }
    }

    #[test]
    fn unacknowledged_change_may_or_may_not_have_happened() {
        let (history, at) = example();
        history.begin_at(Verdict::Revoked, at(50));
        for verdict in [Verdict::Valid, Verdict::Revoked] {
            assert!(history.allows(&verdict, at(60), at(61)), "{verdict:?}");
        }
        assert!(!history.allows(&Verdict::IpNotAllowed, at(60), at(61)));
    }
}
