//! SQLite has one owner: the process that holds the lock beside the file.
//!
//! A running server owns the database file. Commands are forwarded to it over a local socket; without a server, a
//! command owns the file while it runs. PostgreSQL coordinates its clients itself, so there is no owner there.

use std::{
    fs::{File, Permissions, TryLockError},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use keyring::DatabaseUrl;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use crate::{file_modes::with_suffix, outcome::Outcome};

/// The time to wait for a command that holds the file.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(25);
const MAX_REQUEST_BYTES: u64 = 1024 * 1024;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum DatabaseLockError {
    #[error("another latchkey process uses the database {file}; stop it first")]
    InUse { file: PathBuf },
    #[error("cannot use {file}: {cause}")]
    Unusable { file: PathBuf, cause: std::io::Error },
    #[error("the server that owns the database closed the connection: {0}")]
    ConnectionClosed(std::io::Error),
}

/// The right to open the database.
pub struct DatabaseLock {
    /// None for a database without an owner.
    file: Option<LockedFile>,
}

struct LockedFile {
    /// Locked for as long as it is open.
    _lock: File,
    socket: PathBuf,
}

/// The process that executes a command.
pub enum Executor {
    ThisProcess(DatabaseLock),
    /// The running server, at the other end of the control socket.
    Server(UnixStream),
}

impl DatabaseLock {
    /// Acquires the database, waiting for a command that owns it at the moment.
    ///
    /// # Errors
    /// If another process owns the file.
    pub async fn wait(database_url: &DatabaseUrl) -> Result<Self, DatabaseLockError> {
        let Some(file) = database_url.sqlite_path() else { return Ok(Self { file: None }) };
        let deadline = Instant::now() + LOCK_TIMEOUT;
        loop {
            if let Some(lock) = Self::take(file)? {
                return Ok(lock);
            }
            if Instant::now() >= deadline || UnixStream::connect(with_suffix(file, ".sock")).await.is_ok() {
                return Err(DatabaseLockError::InUse { file: file.to_owned() });
            }
            sleep(LOCK_POLL_INTERVAL).await;
        }
    }

    /// Acquires the file if it has no owner.
    fn take(file: &Path) -> Result<Option<Self>, DatabaseLockError> {
        let unusable = |cause| DatabaseLockError::Unusable { file: file.to_owned(), cause };
        if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(unusable)?;
        }
        let lock_file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(with_suffix(file, ".lock"))
            .map_err(unusable)?;
        match lock_file.try_lock() {
            Ok(()) => {
                Ok(Some(Self { file: Some(LockedFile { _lock: lock_file, socket: with_suffix(file, ".sock") }) }))
            }
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(cause)) => Err(unusable(cause)),
        }
    }

    /// Serves the control socket until the returned guard is dropped. Each forwarded command is passed to `execute`.
    ///
    /// # Errors
    /// If the socket cannot be created.
    pub fn serve_commands<E, F>(self, execute: E) -> Result<ControlSocket, DatabaseLockError>
    where
        E: Fn(ForwardedCommand) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Outcome> + Send + 'static,
    {
        let Some(file) = self.file else { return Ok(ControlSocket { serving: None }) };
        let unusable = |cause| DatabaseLockError::Unusable { file: file.socket.clone(), cause };
        // Left behind by an owner that was killed: we hold the lock, so no process listens there.
        let _ = std::fs::remove_file(&file.socket);
        // Others cannot connect before its mode is set either: the program's umask keeps them out.
        let listener = UnixListener::bind(&file.socket).map_err(unusable)?;
        std::fs::set_permissions(&file.socket, Permissions::from_mode(0o600)).map_err(unusable)?;
        let task = tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => drop(tokio::spawn(answer_command(stream, execute.clone()))),
                    Err(cause) => {
                        tracing::warn!(%cause, "a command could not be accepted");
                        sleep(LOCK_POLL_INTERVAL).await;
                    }
                }
            }
        });
        Ok(ControlSocket { serving: Some((task, file)) })
    }
}

/// Keeps the lock and the control socket until it is dropped.
pub struct ControlSocket {
    serving: Option<(JoinHandle<()>, LockedFile)>,
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        if let Some((task, file)) = &self.serving {
            task.abort();
            let _ = std::fs::remove_file(&file.socket);
        }
    }
}

/// A command on its way to the running server.
#[derive(Serialize, Deserialize)]
pub struct ForwardedCommand {
    pub arguments: Vec<String>,
    /// The standard input of the command.
    pub input: String,
}

async fn answer_command<F: Future<Output = Outcome>>(mut stream: UnixStream, execute: impl Fn(ForwardedCommand) -> F) {
    let handled = timeout(REQUEST_TIMEOUT, async {
        let mut text = String::new();
        (&mut stream).take(MAX_REQUEST_BYTES).read_to_string(&mut text).await?;
        Ok::<_, std::io::Error>(serde_json::from_str::<ForwardedCommand>(&text)?)
    })
    .await;
    let outcome = match handled {
        Ok(Ok(command)) => execute(command).await,
        Ok(Err(cause)) => Outcome::refused(&format!("the command could not be parsed: {cause}")),
        Err(_) => Outcome::refused("the command took too long to arrive"),
    };
    if let Ok(answer) = serde_json::to_vec(&outcome) {
        // The client may have disconnected; what was done stays done.
        let _ = stream.write_all(&answer).await;
        let _ = stream.shutdown().await;
    }
}

/// Connects to the server that owns the database, or acquires the database.
///
/// # Errors
/// If neither succeeds in time.
pub async fn find_executor(database_url: &DatabaseUrl) -> Result<Executor, DatabaseLockError> {
    let Some(file) = database_url.sqlite_path() else {
        return Ok(Executor::ThisProcess(DatabaseLock { file: None }));
    };
    let deadline = Instant::now() + LOCK_TIMEOUT;
    loop {
        if let Ok(stream) = UnixStream::connect(with_suffix(file, ".sock")).await {
            return Ok(Executor::Server(stream));
        }
        if let Some(lock) = DatabaseLock::take(file)? {
            return Ok(Executor::ThisProcess(lock));
        }
        if Instant::now() >= deadline {
            return Err(DatabaseLockError::InUse { file: file.to_owned() });
        }
        sleep(LOCK_POLL_INTERVAL).await;
    }
}

/// Forwards the command and waits for the outcome.
///
/// # Errors
/// If the server ends before it has answered.
pub async fn forward_command(mut server: UnixStream, command: ForwardedCommand) -> Result<Outcome, DatabaseLockError> {
    let exchange = async {
        server.write_all(&serde_json::to_vec(&command)?).await?;
        server.shutdown().await?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).await?;
        Ok(serde_json::from_slice(&answer)?)
    };
    exchange.await.map_err(DatabaseLockError::ConnectionClosed)
}
