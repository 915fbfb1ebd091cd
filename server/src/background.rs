//! Supervised background tasks. One that panics or ends is restarted with back-off, counted, and reported by `/readyz`.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use booking::Booking;
use keyring::{Error, Keyring};
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval, sleep},
};
use tokio_util::sync::CancellationToken;

/// The interval at which usage is written.
const USAGE_WRITE_INTERVAL: Duration = Duration::from_secs(1);

/// Writing the usage of very many keys takes a while: about a second for 20,000. The writer then pauses this long for each
/// key, so that requests come first.
const PAUSE_PER_KEY: Duration = Duration::from_micros(500);
const MAX_USAGE_WRITE_PAUSE: Duration = Duration::from_secs(10);

const CLEANUP_INTERVAL: Duration = Duration::from_secs(3600);

/// The interval at which repeated sign-in failures are reported in the audit log.
const FAILURE_REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// The interval at which the heads of the audit chains are logged, for `latchkey audit verify --expect`.
const AUDIT_HEAD_LOG_INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// The interval at which the file of the database URL is read again.
const DATABASE_URL_INTERVAL: Duration = Duration::from_secs(1);

const MIN_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// A task that ran this long before it failed starts over with the shortest back-off.
const STABLE_AFTER: Duration = Duration::from_secs(60);

/// The running background tasks.
pub struct BackgroundTasks {
    stop: CancellationToken,
    supervisors: Vec<JoinHandle<()>>,
    status: TaskStatus,
}

/// The state of all tasks, for metrics and readiness.
#[derive(Clone, Default)]
pub struct TaskStatus(Arc<[Task]>);

struct Task {
    name: &'static str,
    restarts: AtomicU64,
    is_running: AtomicBool,
}

/// A task that is not running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoppedTask(&'static str);

impl fmt::Display for StoppedTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The background task {} has failed and is being restarted.", self.0)
    }
}

impl TaskStatus {
    fn new(names: &[&'static str]) -> Self {
        let task = |name: &&'static str| Task { name, restarts: AtomicU64::new(0), is_running: AtomicBool::new(true) };
        Self(names.iter().map(task).collect())
    }

    /// # Errors
    /// Names a task that is not running.
    pub fn check(&self) -> Result<(), StoppedTask> {
        match self.0.iter().find(|task| !task.is_running.load(Ordering::Relaxed)) {
            Some(stopped) => Err(StoppedTask(stopped.name)),
            None => Ok(()),
        }
    }

    /// Returns the number of restarts of each task.
    pub fn restarts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|task| (task.name, task.restarts.load(Ordering::Relaxed)))
    }
}

impl BackgroundTasks {
    #[must_use]
    pub fn status(&self) -> TaskStatus {
        self.status.clone()
    }

    /// Stops all tasks. Each finishes what it is doing.
    pub async fn stop(self) {
        self.stop.cancel();
        for supervisor in self.supervisors {
            let _ = supervisor.await;
        }
    }

    fn spawn<F>(&mut self, index: usize, run: impl Fn(CancellationToken) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.supervisors.push(tokio::spawn(supervise(self.status.clone(), index, self.stop.clone(), run)));
    }
}

/// Runs a task until `stop` is cancelled, and restarts it whenever it panics or ends before that.
async fn supervise<F>(
    status: TaskStatus,
    index: usize,
    stop: CancellationToken,
    run: impl Fn(CancellationToken) -> F + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let Some(task) = status.0.get(index) else { return };
    let mut backoff = MIN_BACKOFF;
    loop {
        let started_at = tokio::time::Instant::now();
        let ended = tokio::spawn(run(stop.clone())).await;
        if stop.is_cancelled() {
            return;
        }
        task.is_running.store(false, Ordering::Relaxed);
        task.restarts.fetch_add(1, Ordering::Relaxed);
        let cause = ended.map_or_else(|panic| panic.to_string(), |()| "it ended".to_owned());
        tracing::error!(task = task.name, cause, "background task failed");
        if started_at.elapsed() >= STABLE_AFTER {
            backoff = MIN_BACKOFF;
        }
        tokio::select! {
            () = sleep(backoff) => {}
            () = stop.cancelled() => return,
        }
        backoff = (backoff * 2).min(MAX_BACKOFF);
        task.is_running.store(true, Ordering::Relaxed);
    }
}

const TASK_NAMES: [&str; 5] = ["usage_writer", "cleanup", "failure_reports", "audit_head_log", "database_url"];

/// Starts all background tasks.
#[must_use]
pub fn start(keyring: &Keyring, booking: Option<&Booking>) -> BackgroundTasks {
    let mut tasks = BackgroundTasks {
        stop: CancellationToken::new(),
        supervisors: Vec::new(),
        status: TaskStatus::new(&TASK_NAMES),
    };
    let owned = keyring.clone();
    tasks.spawn(0, move |stop| write_usage(owned.clone(), stop));
    let owned = (keyring.clone(), booking.cloned());
    tasks.spawn(1, move |stop| {
        let (keyring, booking) = owned.clone();
        repeat(CLEANUP_INTERVAL, stop, async move || delete_old_rows(&keyring, booking.as_ref()).await)
    });
    let owned = keyring.clone();
    tasks.spawn(2, move |stop| {
        let keyring = owned.clone();
        repeat(FAILURE_REPORT_INTERVAL, stop, async move || report_failures(&keyring).await)
    });
    let owned = keyring.clone();
    tasks.spawn(3, move |stop| {
        let keyring = owned.clone();
        repeat(AUDIT_HEAD_LOG_INTERVAL, stop, async move || log_audit_heads(&keyring).await)
    });
    let owned = keyring.clone();
    tasks.spawn(4, move |stop| {
        let keyring = owned.clone();
        repeat(DATABASE_URL_INTERVAL, stop, async move || reload_database_url(&keyring))
    });
    tasks
}

/// Does something now and then at each interval, until `stop` is cancelled.
async fn repeat(period: Duration, stop: CancellationToken, act: impl AsyncFn()) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => act().await,
            () = stop.cancelled() => return,
        }
    }
}

async fn write_usage(keyring: Keyring, stop: CancellationToken) {
    let mut pause = USAGE_WRITE_INTERVAL;
    loop {
        tokio::select! {
            () = sleep(pause) => {}
            () = stop.cancelled() => return,
        }
        let keys = keyring.write_usage().await.unwrap_or_else(|error| {
            tracing::error!(cause = %error.root_cause(), "usage could not be written; it is kept for the next attempt");
            0
        });
        pause = USAGE_WRITE_INTERVAL.max(PAUSE_PER_KEY.saturating_mul(keys)).min(MAX_USAGE_WRITE_PAUSE);
    }
}

async fn report_failures(keyring: &Keyring) {
    log_error(keyring.report_repeated_failures().await, "repeated sign-in failures could not be audited");
}

async fn delete_old_rows(keyring: &Keyring, booking: Option<&Booking>) {
    log_error(keyring.clear_old_usage().await, "old usage could not be deleted");
    log_error(keyring.clear_old_failures().await, "old counters of failed sign-ins could not be deleted");
    let Some(booking) = booking else { return };
    if let Err(error) = booking.clear_old(keyring.now()).await {
        tracing::error!(cause = %error.root_cause(), "old idempotency keys could not be deleted");
    }
}

fn log_error(outcome: Result<(), Error>, message: &'static str) {
    if let Err(error) = outcome {
        tracing::error!(cause = %error.root_cause(), "{message}");
    }
}

/// Applies a rotated password of the database, which the file of its URL contains.
fn reload_database_url(keyring: &Keyring) {
    match keyring.database().pool().reload_url() {
        Ok(true) => tracing::info!("the database URL has changed; new connections use it"),
        Ok(false) => {}
        Err(cause) => tracing::warn!(%cause, "the database URL could not be read again; the last one stays in use"),
    }
}

/// Logs where each audit chain ends. An attacker who can write to the database can truncate a chain, but cannot change a
/// log that was shipped elsewhere.
async fn log_audit_heads(keyring: &Keyring) {
    match keyring.audit_heads().await {
        Ok(heads) => heads.iter().for_each(|(chain, head)| tracing::info!(%chain, %head, "audit chain head")),
        Err(cause) => tracing::error!(%cause, "audit chain heads could not be read"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restarts(status: &TaskStatus) -> u64 {
        status.restarts().map(|(_, count)| count).sum()
    }

    /// Supervises a task that panics on its first `panics` runs.
    fn start_panicking(panics: u64) -> BackgroundTasks {
        let mut tasks = BackgroundTasks {
            stop: CancellationToken::new(),
            supervisors: Vec::new(),
            status: TaskStatus::new(&["test"]),
        };
        let runs = Arc::new(AtomicU64::new(0));
        tasks.spawn(0, move |stop| {
            let run = runs.fetch_add(1, Ordering::Relaxed);
            async move {
                assert!(run >= panics, "run {run} panics");
                stop.cancelled().await;
            }
        });
        tasks
    }

    #[tokio::test(start_paused = true)]
    async fn panicking_task_is_restarted_counted_and_reported() {
        let tasks = start_panicking(2);
        let status = tasks.status();
        assert_eq!(status.check(), Ok(()));
        while restarts(&status) < 1 {
            tokio::task::yield_now().await;
        }
        assert_eq!(status.check(), Err(StoppedTask("test")), "it waits for its restart");
        sleep(Duration::from_secs(1)).await;
        assert_eq!((restarts(&status), status.check()), (2, Ok(())));
        tasks.stop().await;
        assert_eq!(restarts(&status), 2, "a stop is no failure");
    }

    #[tokio::test(start_paused = true)]
    async fn backoff_grows_and_is_bounded() {
        let tasks = start_panicking(u64::MAX);
        sleep(Duration::from_secs(600)).await;
        let count = restarts(&tasks.status());
        assert!((25..=35).contains(&count), "{count} restarts in ten minutes");
        tasks.stop().await;
    }
}
