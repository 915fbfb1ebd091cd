//! Logs that would repeat for as long as their cause lasts.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Lets one log line through a minute.
#[derive(Default)]
pub struct LogThrottle {
    last: Mutex<Option<Instant>>,
}

impl LogThrottle {
    /// Logs, unless the last line is less than a minute old.
    pub fn log(&self, log: impl FnOnce()) {
        let now = Instant::now();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| now.duration_since(last) >= LOG_INTERVAL) {
            *last = Some(now);
            drop(last);
            log();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_line_is_logged_once_a_minute() {
        let throttle = LogThrottle::default();
        let mut lines = 0;
        for _ in 0..3 {
            throttle.log(|| lines += 1);
        }
        assert_eq!(lines, 1);
        *throttle.last.lock().unwrap() = Instant::now().checked_sub(LOG_INTERVAL);
        throttle.log(|| lines += 1);
        assert_eq!(lines, 2);
    }
}
