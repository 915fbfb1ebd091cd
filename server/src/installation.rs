//! Opens the database of an installation.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use booking::Booking;
use keyring::{Clock, Database, DatabaseUrl, Keyring, OpenError, SecretKeyFile, SecretKeyFileError, StoreError};

use crate::config::{DEFAULT_DATABASE_URL, Settings};

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum InstallationError {
    #[error("cannot open the database: {0}")]
    Open(#[source] StoreError),
    #[error(
        "the folder {} of the database does not exist; create it, or correct LATCHKEY_DATABASE_URL or --database-url",
        .0.display()
    )]
    NoFolder(PathBuf),
    #[error(
        "there is no database at {}; create it with `latchkey tenant create`, or correct LATCHKEY_DATABASE_URL or \
         --database-url",
        .0.display()
    )]
    NoDatabase(PathBuf),
    #[error(transparent)]
    SecretKeyFile(#[from] SecretKeyFileError),
    #[error(transparent)]
    SecretKeys(#[from] OpenError),
    #[error("cannot migrate the database: {0}")]
    Migrate(String),
}

/// Checks that the SQLite file exists, or that it may be created where the operator wants it. A mistyped path would
/// otherwise create an empty database, and hide the real one.
///
/// # Errors
/// If the folder does not exist, or the file does not and this command does not create it.
pub fn check_database_file(database_url: &DatabaseUrl, may_create: bool) -> Result<(), InstallationError> {
    let Some(file) = database_url.sqlite_path() else { return Ok(()) };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir() && database_url.as_str() != DEFAULT_DATABASE_URL) {
        return Err(InstallationError::NoFolder(folder.to_owned()));
    }
    if may_create || file.exists() { Ok(()) } else { Err(InstallationError::NoDatabase(file.to_owned())) }
}

/// The shared state of commands and the server.
#[derive(Clone)]
pub struct Installation {
    pub keyring: Keyring,
    /// None if the booking API is off.
    pub booking: Option<Booking>,
    /// Without a trailing slash.
    pub public_url: Arc<str>,
}

impl Installation {
    #[must_use]
    pub fn new(keyring: Keyring, serves_booking: bool, public_url: Arc<str>) -> Self {
        let booking = serves_booking.then(|| Booking::new(keyring.database().pool().clone()));
        let keyring = if serves_booking { keyring.with_permissions(booking::PERMISSIONS) } else { keyring };
        Self { keyring, booking, public_url }
    }
}

/// Opens the database, migrates it and encrypts what an earlier version stored in clear. The caller owns the SQLite file.
///
/// # Errors
/// If the database cannot be opened or migrated, or the secret keys do not belong to it.
pub async fn open(settings: &Settings, database_url: &DatabaseUrl) -> Result<Keyring, InstallationError> {
    let secret_keys = SecretKeyFile::locate(settings.secret_key_file.as_deref(), database_url)?;
    let database = open_migrated(database_url).await?;
    let keyring = Keyring::open(database, secret_keys, settings.key_product.clone(), Clock::System).await?;
    Ok(keyring.with_legacy_sunset(settings.legacy_sunset))
}

async fn open_migrated(database_url: &DatabaseUrl) -> Result<Database, InstallationError> {
    let database = Database::open(database_url.clone()).await.map_err(InstallationError::Open)?;
    migrations::apply(database.connection()).await.map_err(|cause| InstallationError::Migrate(cause.to_string()))?;
    Ok(database)
}

/// Migrates the database. The caller owns the SQLite file.
///
/// # Errors
/// If the database cannot be opened or migrated.
pub async fn migrate(database_url: &DatabaseUrl) -> Result<(), InstallationError> {
    open_migrated(database_url).await?.close().await.map_err(InstallationError::Open)
}

/// Returns the URL of the console, for a server that listens on this address.
#[must_use]
pub fn public_url(settings: &Settings, bound: SocketAddr) -> Arc<str> {
    match &settings.public_url {
        Some(url) => url.as_str().into(),
        None => format!("http://{bound}").into(),
    }
}
