//! What a client does with its connection, and until when it may keep it.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::http::Version;
use tokio::time::Instant;

/// From the first byte of a request, or of a connection, until all of its headers are there. That bytes keep
/// arriving is no excuse: a client that sends one a second would hold its connection for good.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// Between requests, and while a client takes nothing of its answer. Most clients and proxies let go of an idle
/// connection after a minute; this is longer, so that theirs is the decision.
const IDLE_TIME: Duration = Duration::from_secs(65);
/// When the program stops: enough to take what was answered and to say good-bye.
const PARTING_TIME: Duration = Duration::from_secs(2);

/// How far a connection is. A client may keep it while a request of its runs, while it takes what it is answered,
/// for a while afterwards, and for a shorter while when it has begun to ask and does not come to the point.
pub(super) struct Activity {
    state: Mutex<State>,
    /// Whether the program was told to stop.
    stopping: Arc<AtomicBool>,
}

struct State {
    /// Requests that are being answered.
    running: usize,
    /// When something was last written, or a request began or was answered.
    moved: Instant,
    /// Bytes of a request have arrived, and its headers are not complete.
    is_asking: bool,
    /// Whether bytes that arrive may be something else than a request.
    has_frames: bool,
}

impl Activity {
    /// A client that has just come is expected to ask something.
    pub(super) fn new(now: Instant, stopping: Arc<AtomicBool>) -> Self {
        Self { state: Mutex::new(State { running: 0, moved: now, is_asking: true, has_frames: false }), stopping }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The headers of a request are there. It runs until what this returns is dropped.
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> Running {
        let mut state = self.state();
        state.running += 1;
        state.is_asking = false;
        state.has_frames = version == Version::HTTP_2;
        Running { activity: self.clone() }
    }

    pub(super) fn has_read(&self, now: Instant) {
        let mut state = self.state();
        if state.running == 0 && !state.is_asking && !state.has_frames {
            state.is_asking = true;
            state.moved = now;
        }
    }

    pub(super) fn has_written(&self, now: Instant) {
        self.state().moved = now;
    }

    /// Until when the client is waited for, unless a request of its runs.
    pub(super) fn patience_ends(&self) -> Option<Instant> {
        let state = self.state();
        let patience = match (self.stopping.load(Ordering::Relaxed), state.is_asking) {
            (true, _) => PARTING_TIME,
            (false, true) => HEADER_TIME,
            (false, false) => IDLE_TIME,
        };
        (state.running == 0).then(|| state.moved + patience)
    }
}

/// A request on its way to its answer.
pub(super) struct Running {
    activity: Arc<Activity>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.activity.state();
        state.running -= 1;
        state.moved = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// In whole seconds, how much longer the client is waited for after so many.
    fn patience(activity: &Activity, now: Instant) -> Option<u64> {
        activity.patience_ends().map(|end| end.saturating_duration_since(now).as_secs())
    }

    #[test]
    fn headers_have_to_arrive_in_time_however_many_bytes_do() {
        let start = Instant::now();
        let activity = Arc::new(Activity::new(start, Arc::default()));
        for second in 0..5 {
            activity.has_read(start + SECOND * second);
            assert_eq!(patience(&activity, start), Some(10));
        }
        drop(activity.begin(Version::HTTP_11));
        assert_eq!(patience(&activity, start), Some(65), "a while for the next request to begin");
        activity.has_read(start + SECOND * 30);
        activity.has_read(start + SECOND * 33);
        assert_eq!(patience(&activity, start), Some(30 + 10), "counted from its first byte");
    }

    #[test]
    fn what_runs_is_waited_for() {
        let (start, stopping) = (Instant::now(), Arc::default());
        let activity = Arc::new(Activity::new(start, Arc::clone(&stopping)));
        let (first, second) = (activity.begin(Version::HTTP_2), activity.begin(Version::HTTP_2));
        assert_eq!(patience(&activity, start), None);
        stopping.store(true, Ordering::Relaxed);
        assert_eq!(patience(&activity, start), None, "even when the program stops");
        drop(first);
        assert_eq!(patience(&activity, start), None);
        drop(second);
        assert_eq!(patience(&activity, start), Some(2));
        stopping.store(false, Ordering::Relaxed);
        assert_eq!(patience(&activity, start), Some(65));
    }

    #[test]
    fn a_slow_reader_may_read_and_an_idle_client_may_not_linger() {
        let start = Instant::now();
        let activity = Arc::new(Activity::new(start, Arc::default()));
        drop(activity.begin(Version::HTTP_2));
        activity.has_written(start + SECOND * 60);
        assert_eq!(patience(&activity, start), Some(60 + 65));
        activity.has_read(start + SECOND * 80);
        assert_eq!(patience(&activity, start), Some(60 + 65), "frames are not a request yet");
    }
}
