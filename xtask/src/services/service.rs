use super::port;
use crate::{Result, scratch::Scratch};
use std::{
    ffi::OsString,
    fs,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const ATTEMPTS: u32 = 5;
const DEADLINE: Duration = Duration::from_secs(30);

/// The properties of a kind of service.
pub trait Kind {
    const NAME: &'static str;
    /// Used if it is free, so that the tests see the same URL in each run and are not compiled again.
    const PREFERRED_PORT: u16;
    /// The signal that makes it stop immediately and cleanly.
    const SIGNAL: &'static str;

    fn prepare(&self, directory: &Path) -> Result<()>;
    fn words(&self, directory: &Path, port: u16) -> Vec<OsString>;
    fn is_ready(&self, directory: &Path) -> bool;
}

/// A running service, stopped and swept up when dropped and also when this program is killed.
pub struct Service {
    guard: Child,
    directory: Scratch,
    port: u16,
}

impl Service {
    pub fn start<K: Kind>(kind: &K) -> Result<Self> {
        for _ in 0..ATTEMPTS {
            let mut service = Self::spawn(kind)?;
            match service.wait_until_ready(kind)? {
                Start::Ready => return Ok(service),
                Start::PortTaken => {}
                Start::Failed => return Err(service.complaint(K::NAME).into()),
            }
        }
        Err(format!("{} found no free port in {ATTEMPTS} attempts", K::NAME).into())
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    fn spawn<K: Kind>(kind: &K) -> Result<Self> {
        let directory = Scratch::new(K::NAME)?;
        let port = port::free_or(K::PREFERRED_PORT)?;
        kind.prepare(directory.path())?;
        let guard = Command::new("sh")
            .args(["-c", include_str!("supervise.sh"), "supervise"])
            .arg(directory.path())
            .arg(K::SIGNAL)
            .args(kind.words(directory.path(), port))
            .current_dir(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C is for us alone: the guard has yet to stop the service in order.
            .process_group(0)
            .spawn()?;
        Ok(Self { guard, directory, port })
    }

    fn wait_until_ready<K: Kind>(&mut self, kind: &K) -> Result<Start> {
        let deadline = Instant::now() + DEADLINE;
        while Instant::now() < deadline {
            if kind.is_ready(self.directory.path()) {
                return Ok(Start::Ready);
            }
            if self.guard.try_wait()?.is_some() {
                let taken = self.log().contains("Address already in use");
                return Ok(if taken { Start::PortTaken } else { Start::Failed });
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(Start::Failed)
    }

    fn log(&self) -> String {
        fs::read(self.directory.path().join("log"))
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }

    fn complaint(&self, name: &str) -> String {
        let seconds = DEADLINE.as_secs();
        format!("{name} did not start within {seconds} s. It said:\n{}", self.log())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // A guard that cannot be waited for has gone, and then the directory is ours to remove: it is dropped next.
        let _ = self.guard.wait();
    }
}

enum Start {
    Ready,
    PortTaken,
    Failed,
}
