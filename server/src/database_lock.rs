//! SQLite has one owner: the process that holds the lock beside the file.
//!
//! A running server owns the database file. Commands are forwarded to it over a local socket; without a server, a
//! command owns the file while it runs. PostgreSQL coordinates its clients itself, so there is no owner there.

use std::{
    fs::{File, Permissions, TryLockError},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use keyring::{Database, Keyring};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use crate::{
    commands::{self, Outcome},
    file_modes::with_suffix,
};

/// How long to wait for a command that owns the file at the moment.
const PATIENCE: Duration = Duration::from_secs(10);
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(25);
const MAX_REQUEST_BYTES: u64 = 1024 * 1024;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum DatabaseLockError {
    #[error("the database {file} is in use by another latchkey; stop that one first")]
    InUse { file: PathBuf },
    #[error("cannot use {file}: {cause}")]
    Unusable { file: PathBuf, cause: std::io::Error },
    #[error("the server that owns the database broke off: {0}")]
    BrokenOff(std::io::Error),
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

/// Who is to carry out a command.
pub enum Executor {
    /// This process.
    We(DatabaseLock),
    /// The server at the other end.
    Owner(UnixStream),
}

impl DatabaseLock {
    /// Takes the database, after a while if a command has it at the moment.
    ///
    /// # Errors
    /// If another process owns the file.
    pub async fn wait(database_url: &str) -> Result<Self, DatabaseLockError> {
        let Some(file) = Database::file(database_url) else { return Ok(Self { file: None }) };
        let patient_until = Instant::now() + PATIENCE;
        loop {
            if let Some(ownership) = Self::take(file)? {
                return Ok(ownership);
            }
            if Instant::now() >= patient_until || UnixStream::connect(with_suffix(file, ".sock")).await.is_ok() {
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
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(with_suffix(file, ".lock"))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { file: Some(LockedFile { _lock: lock, socket: with_suffix(file, ".sock") }) })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(cause)) => Err(unusable(cause)),
        }
    }

    /// Carries out what commands hand over, for as long as the answer is kept.
    ///
    /// # Errors
    /// If the socket cannot be made.
    pub fn answer_commands(self, keyring: Keyring, public_url: Arc<str>) -> Result<Commands, DatabaseLockError> {
        let Some(file) = self.file else { return Ok(Commands { serving: None }) };
        let unusable = |cause| DatabaseLockError::Unusable { file: file.socket.clone(), cause };
        // Left behind by an owner that was killed: we hold the lock, so no process listens there.
        let _ = std::fs::remove_file(&file.socket);
        // Others cannot connect before its mode is set either: the program's umask keeps them out.
        let listener = UnixListener::bind(&file.socket).map_err(unusable)?;
        std::fs::set_permissions(&file.socket, Permissions::from_mode(0o600)).map_err(unusable)?;
        let task = tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => drop(tokio::spawn(answer_command(stream, keyring.clone(), public_url.clone()))),
                    Err(cause) => {
                        tracing::warn!(%cause, "a command could not be accepted");
                        sleep(LOCK_POLL_INTERVAL).await;
                    }
                }
            }
        });
        Ok(Commands { serving: Some((task, file)) })
    }
}

/// Keeps the file and its socket until it is dropped.
pub struct Commands {
    serving: Option<(JoinHandle<()>, LockedFile)>,
}

impl Drop for Commands {
    fn drop(&mut self) {
        if let Some((task, file)) = &self.serving {
            task.abort();
            let _ = std::fs::remove_file(&file.socket);
        }
    }
}

/// A command on its way to the owner.
#[derive(Serialize, Deserialize)]
struct Request {
    words: Vec<String>,
    input: String,
}

async fn answer_command(mut stream: UnixStream, keyring: Keyring, public_url: Arc<str>) {
    let handled = timeout(REQUEST_TIMEOUT, async {
        let mut text = String::new();
        (&mut stream).take(MAX_REQUEST_BYTES).read_to_string(&mut text).await?;
        Ok::<_, std::io::Error>(serde_json::from_str::<Request>(&text)?)
    })
    .await;
    let outcome = match handled {
        Ok(Ok(request)) => commands::parse_and_execute(&keyring, &public_url, &request.words, request.input).await,
        Ok(Err(cause)) => Outcome::refused(&format!("the command could not be read: {cause}")),
        Err(_) => Outcome::refused("the command took too long to arrive"),
    };
    if let Ok(answer) = serde_json::to_vec(&outcome) {
        // The client may have disconnected; what was done stays done.
        let _ = stream.write_all(&answer).await;
        let _ = stream.shutdown().await;
    }
}

/// Finds the owner, or becomes it.
///
/// # Errors
/// If neither comes about in time.
pub async fn find_executor(database_url: &str) -> Result<Executor, DatabaseLockError> {
    let Some(file) = Database::file(database_url) else { return Ok(Executor::We(DatabaseLock { file: None })) };
    let patient_until = Instant::now() + PATIENCE;
    loop {
        if let Ok(stream) = UnixStream::connect(with_suffix(file, ".sock")).await {
            return Ok(Executor::Owner(stream));
        }
        if let Some(ownership) = DatabaseLock::take(file)? {
            return Ok(Executor::We(ownership));
        }
        if Instant::now() >= patient_until {
            return Err(DatabaseLockError::InUse { file: file.to_owned() });
        }
        sleep(LOCK_POLL_INTERVAL).await;
    }
}

/// Forwards the command and waits for the outcome.
///
/// # Errors
/// If the owner goes away before it has answered.
pub async fn forward_command(
    mut owner: UnixStream,
    words: Vec<String>,
    input: String,
) -> Result<Outcome, DatabaseLockError> {
    let call_record = async {
        let request = serde_json::to_vec(&Request { words, input })?;
        owner.write_all(&request).await?;
        owner.shutdown().await?;
        let mut answer = Vec::new();
        owner.read_to_end(&mut answer).await?;
        Ok(serde_json::from_slice(&answer)?)
    };
    call_record.await.map_err(DatabaseLockError::BrokenOff)
}
