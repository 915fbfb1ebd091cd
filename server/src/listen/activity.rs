//! Tracks the activity of a connection and its idle timeout.

use std::{
    io::{Error, ErrorKind},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::http::Version;
use tokio::time::{Instant, Sleep, sleep_until};

/// The time for the headers of a request, from its first byte or the start of the connection. Further bytes do not
/// extend it: a client that sends one byte a second would hold its connection forever.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// The time for which connections stay open after a shutdown began, so that clients can read the last response.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// The number of bytes that a client may send while none of its requests makes progress. It exceeds a connection's
/// receive window, so unread bodies never reach it; pings and settings that are sent in a loop do.
const MAX_BYTES_WITHOUT_PROGRESS: usize = 1024 * 1024;

/// The activity of one connection. Only requests count, and responses that the client takes; HTTP/2's pings, settings
/// and window updates, which a client can send forever, do not.
pub(super) struct ConnectionActivity {
    /// The time that a client may be idle between requests, or while it reads a response.
    idle_timeout: Duration,
    /// The time at which the shutdown began.
    stopped_at: Arc<OnceLock<Instant>>,
    state: Mutex<State>,
}

struct State {
    /// Requests that a handler is working on.
    running_requests: usize,
    /// The time of the last progress: a request began or was answered, or a part of a response was taken.
    last_progress: Instant,
    /// Bytes received since then, or since a part of a request's body was read.
    bytes_since: usize,
    /// True while the headers of a request are incomplete.
    awaits_headers: bool,
    is_http2: bool,
}

impl State {
    fn progress(&mut self, now: Instant) {
        self.last_progress = now;
        self.bytes_since = 0;
    }
}

impl ConnectionActivity {
    /// A client that has just connected is expected to send a request.
    pub(super) fn new(idle_timeout: Duration, stopped_at: Arc<OnceLock<Instant>>) -> Self {
        let state = State {
            running_requests: 0,
            last_progress: Instant::now(),
            bytes_since: 0,
            awaits_headers: true,
            is_http2: false,
        };
        Self { idle_timeout, stopped_at, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that the headers of a request have arrived. It runs until the guard is dropped.
    pub(super) fn begin_request(self: &Arc<Self>, version: Version) -> RequestGuard {
        let mut state = self.state();
        state.running_requests += 1;
        state.awaits_headers = false;
        state.bytes_since = 0;
        state.is_http2 = version == Version::HTTP_2;
        RequestGuard { activity: self.clone() }
    }

    /// # Errors
    /// If the client has sent too much that led to nothing.
    pub(super) fn record_received(&self, bytes: usize) -> Result<(), Error> {
        let mut state = self.state();
        if state.running_requests == 0 && !state.awaits_headers && !state.is_http2 {
            state.awaits_headers = true;
            state.progress(Instant::now());
        }
        state.bytes_since += bytes;
        if state.bytes_since > MAX_BYTES_WITHOUT_PROGRESS {
            return Err(Error::new(ErrorKind::InvalidData, "the client sent too much data without a request"));
        }
        Ok(())
    }

    /// Records that a handler has read a part of a request's body.
    pub(super) fn record_body_read(&self) {
        self.state().bytes_since = 0;
    }

    /// Records that the client has taken enough of a response to be sent more.
    pub(super) fn record_response_sent(&self) {
        self.state().progress(Instant::now());
    }

    #[cfg(test)]
    pub(super) fn last_progress(&self) -> Instant {
        self.state().last_progress
    }

    /// Returns the time at which the connection is closed. A running request keeps it open; its handler has timeouts of
    /// its own.
    fn deadline(&self) -> Option<Instant> {
        let state = self.state();
        if state.running_requests > 0 {
            return None;
        }
        Some(match self.stopped_at.get() {
            Some(stopped_at) => state.last_progress.max(*stopped_at) + DRAIN_TIMEOUT,
            None if state.awaits_headers => state.last_progress + HEADER_TIMEOUT,
            None => state.last_progress + self.idle_timeout,
        })
    }
}

/// A request that a handler is working on.
pub(super) struct RequestGuard {
    activity: Arc<ConnectionActivity>,
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let mut state = self.activity.state();
        state.running_requests -= 1;
        state.progress(Instant::now());
    }
}

/// A future that is ready once the connection is to be closed. The deadline moves with everything that happens on the
/// connection, so it is to be polled after each poll of the connection.
pub(super) struct IdleTimeout {
    activity: Arc<ConnectionActivity>,
    /// Fires at the deadline, or earlier: a deadline that has moved away is only looked up when it does.
    timer: Pin<Box<Sleep>>,
}

impl IdleTimeout {
    pub(super) fn new(activity: Arc<ConnectionActivity>) -> Self {
        let timer = Box::pin(sleep_until(activity.deadline().unwrap_or_else(Instant::now)));
        Self { activity, timer }
    }
}

impl Future for IdleTimeout {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let deadline = self.activity.deadline();
        if let Some(deadline) = deadline.filter(|deadline| *deadline < self.timer.deadline()) {
            self.timer.as_mut().reset(deadline);
        }
        loop {
            ready!(self.timer.as_mut().poll(context));
            let now = Instant::now();
            match deadline {
                Some(deadline) if deadline <= now => return Poll::Ready(()),
                Some(deadline) => self.timer.as_mut().reset(deadline),
                // The request that runs may finish without anything else happening on the connection.
                None => {
                    let idle_timeout = self.activity.idle_timeout;
                    self.timer.as_mut().reset(now + idle_timeout);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn activity() -> Arc<ConnectionActivity> {
        Arc::new(ConnectionActivity::new(65 * SECOND, Arc::default()))
    }

    /// Returns the timeout of the connection in its current state, counted from its last progress.
    fn timeout(activity: &ConnectionActivity) -> Option<Duration> {
        activity.deadline().map(|deadline| deadline - activity.last_progress())
    }

    #[test]
    fn headers_have_a_deadline_that_further_bytes_do_not_move() {
        let activity = activity();
        let start = activity.last_progress();
        for _ in 0..5 {
            activity.record_received(1).unwrap();
            assert_eq!(activity.deadline(), Some(start + HEADER_TIMEOUT));
        }
        drop(activity.begin_request(Version::HTTP_11));
        assert_eq!(timeout(&activity), Some(65 * SECOND), "until the next request begins");
        activity.record_received(1).unwrap();
        let deadline = activity.deadline();
        assert_eq!(timeout(&activity), Some(HEADER_TIMEOUT));
        activity.record_received(1).unwrap();
        assert_eq!(activity.deadline(), deadline, "counted from the first byte of the request");
    }

    #[test]
    fn running_request_keeps_its_connection_open() {
        let activity = activity();
        let (first, second) = (activity.begin_request(Version::HTTP_2), activity.begin_request(Version::HTTP_2));
        assert_eq!(activity.deadline(), None);
        drop(first);
        assert_eq!(activity.deadline(), None);
        drop(second);
        assert_eq!(timeout(&activity), Some(65 * SECOND));
        let running = activity.begin_request(Version::HTTP_2);
        activity.stopped_at.set(Instant::now()).unwrap();
        assert_eq!(activity.deadline(), None, "also while the program stops");
        drop(running);
        assert_eq!(timeout(&activity), Some(DRAIN_TIMEOUT));
    }

    #[test]
    fn last_response_can_be_read_after_shutdown_began() {
        let activity = activity();
        drop(activity.begin_request(Version::HTTP_11));
        let stopped_at = activity.last_progress() + 30 * SECOND;
        activity.stopped_at.set(stopped_at).unwrap();
        assert_eq!(activity.deadline(), Some(stopped_at + DRAIN_TIMEOUT));
    }

    #[test]
    fn http2_frames_do_not_count_as_a_request() {
        let activity = activity();
        drop(activity.begin_request(Version::HTTP_2));
        let deadline = activity.deadline();
        activity.record_received(17).unwrap();
        assert_eq!(activity.deadline(), deadline);
    }

    #[test]
    fn bytes_without_a_request_are_limited() {
        let activity = activity();
        let half = MAX_BYTES_WITHOUT_PROGRESS / 2;
        let progress: [&dyn Fn(); 4] = [
            &|| drop(activity.begin_request(Version::HTTP_2)),
            &|| activity.record_body_read(),
            &|| activity.record_response_sent(),
            &|| {},
        ];
        for progress in progress {
            activity.record_received(half).unwrap();
            progress();
        }
        activity.record_received(half).unwrap();
        assert_eq!(activity.record_received(1).unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn timer_fires_when_nothing_follows_a_request() {
        let activity = Arc::new(ConnectionActivity::new(Duration::from_millis(50), Arc::default()));
        let running = activity.begin_request(Version::HTTP_11);
        let idle_timeout = tokio::spawn(IdleTimeout::new(activity.clone()));
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(!idle_timeout.is_finished(), "a request runs");
        drop(running);
        idle_timeout.await.unwrap();
    }
}
