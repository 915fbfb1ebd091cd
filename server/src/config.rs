//! The settings: each is a flag, an environment variable and a line of `--help`.

use std::{
    fs, io,
    net::{SocketAddr, ToSocketAddrs},
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use chrono::NaiveDate;
use clap::{Args, ValueEnum, value_parser};
use domain::{network::parse_range, origin::Origin, secret::Product};
use ipnet::IpNet;
use keyring::{DatabaseUrl, LEGACY_SUNSET, SuperUserMfa};
use secrecy::SecretString;

pub const DEFAULT_DATABASE_URL: &str = "sqlite://data/latchkey.db";

/// The settings of an installation.
#[derive(Args, Clone)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// The address to listen on
    #[arg(long, env = "LATCHKEY_ADDR", default_value = "127.0.0.1:3000", value_parser = listen_address, global = true)]
    pub addr: SocketAddr,

    /// The URL of the console in browsers; decides links, cookies and which origin may post [default: http://<addr>]
    #[arg(long, env = "LATCHKEY_PUBLIC_URL", value_parser = Origin::parse, global = true)]
    pub public_url: Option<Origin>,

    /// sqlite://path/to/file, or postgres://user:password@host/name
    #[arg(
        long,
        env = "LATCHKEY_DATABASE_URL",
        default_value = DEFAULT_DATABASE_URL,
        hide_env_values = true,
        global = true
    )]
    database_url: String,

    /// File that contains the database URL; read again when it changes, so that a password can be rotated
    #[arg(long, env = "LATCHKEY_DATABASE_URL_FILE", conflicts_with = "database_url", global = true)]
    database_url_file: Option<PathBuf>,

    /// File of the secret keys that encrypt recoverable values, one per line; the first encrypts. Required on PostgreSQL
    /// [default: created beside the SQLite file]
    #[arg(long, env = "LATCHKEY_SECRET_KEY_FILE", global = true)]
    pub secret_key_file: Option<PathBuf>,

    /// Size of the key cache in MiB
    #[arg(long, env = "LATCHKEY_MEMORY", default_value_t = 256, value_parser = value_parser!(u32).range(1..), global = true)]
    pub memory: u32,

    /// Addresses (10.0.0.5) or small ranges of proxies whose X-Forwarded-For is trusted, separated by commas
    #[arg(long, env = "LATCHKEY_TRUSTED_PROXIES", value_delimiter = ',', value_parser = range, global = true)]
    pub trusted_proxies: Vec<IpNet>,

    /// Seconds until an idle client connection is closed; more than the keep-alive timeout of a proxy in front
    #[arg(long, env = "LATCHKEY_IDLE_TIMEOUT", default_value_t = 65, value_parser = value_parser!(u16).range(1..), global = true)]
    pub idle_timeout: u16,

    /// Connections that one client address may have open; trusted proxies are exempt
    #[arg(long, env = "LATCHKEY_MAX_CONNECTIONS_PER_ADDRESS", default_value = "1024", global = true)]
    pub max_connections_per_address: NonZeroUsize,

    /// The prefix of new secrets
    #[arg(long, env = "LATCHKEY_KEY_PRODUCT", default_value = "lk", global = true)]
    pub key_product: Product,

    /// The last day of legacy authentication (Basic and JWT) on the public API
    #[arg(long, env = "LATCHKEY_LEGACY_SUNSET", default_value_t = LEGACY_SUNSET, global = true)]
    pub legacy_sunset: NaiveDate,

    /// An e-mail address or link, shown where the console says to contact support
    #[arg(long, env = "LATCHKEY_SUPPORT_CONTACT", global = true)]
    pub support_contact: Option<String>,

    /// The e-mail address of the first super user, created with the password if there is none
    #[arg(long, env = "LATCHKEY_ADMIN_EMAIL", global = true)]
    admin_email: Option<String>,

    /// The first super user's password
    #[arg(long, env = "LATCHKEY_ADMIN_PASSWORD", hide_env_values = true, global = true)]
    admin_password: Option<SecretString>,

    /// File that contains the first super user's password
    #[arg(long, env = "LATCHKEY_ADMIN_PASSWORD_FILE", conflicts_with = "admin_password", global = true)]
    admin_password_file: Option<PathBuf>,

    /// The second factor of super users [default: required; optional with --demo]
    #[arg(long, env = "LATCHKEY_SUPER_USER_MFA", global = true)]
    pub super_user_mfa: Option<SuperUserMfaPolicy>,

    /// Serve the booking API: services, packages, availability and reservations [default: off; on with --demo]
    #[arg(long, env = "LATCHKEY_BOOKING", global = true)]
    pub booking: Option<Switch>,

    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    pub json: bool,

    /// Log level: error, warn, info, debug or trace, also by module
    #[arg(long, env = "LATCHKEY_LOG", default_value = "info", global = true)]
    pub log: String,

    /// Log format
    #[arg(long, env = "LATCHKEY_LOG_FORMAT", default_value = "text", global = true)]
    pub log_format: LogFormat,
}

/// A setting that names a file which cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("cannot read {}, the file of {setting}: {cause}", file.display())]
    Unreadable { setting: &'static str, file: PathBuf, cause: io::Error },
    #[error("LATCHKEY_ADMIN_EMAIL needs a password: set LATCHKEY_ADMIN_PASSWORD_FILE or LATCHKEY_ADMIN_PASSWORD")]
    NoAdminPassword,
}

/// The sign-in of the first super user.
pub struct FirstSuperUser {
    pub email: String,
    pub password: SecretString,
}

impl Settings {
    /// Returns the URL of the database.
    ///
    /// # Errors
    /// If its file cannot be read.
    pub fn database_url(&self) -> Result<DatabaseUrl, SettingsError> {
        let Some(file) = &self.database_url_file else { return Ok(DatabaseUrl::from(&self.database_url)) };
        let setting = "the database URL";
        DatabaseUrl::read(file.clone()).map_err(|cause| SettingsError::Unreadable {
            setting,
            file: file.clone(),
            cause,
        })
    }

    /// Returns the first super user, if the settings name one.
    ///
    /// # Errors
    /// If there is no password, or its file cannot be read.
    pub fn first_super_user(&self) -> Result<Option<FirstSuperUser>, SettingsError> {
        let Some(email) = self.admin_email.clone() else { return Ok(None) };
        let password = match (&self.admin_password, &self.admin_password_file) {
            (Some(password), _) => password.clone(),
            (None, Some(file)) => read_password(file)?,
            (None, None) => return Err(SettingsError::NoAdminPassword),
        };
        Ok(Some(FirstSuperUser { email, password }))
    }

    /// Returns true if the booking API is served.
    #[must_use]
    pub fn serves_booking(&self, demo: bool) -> bool {
        self.booking.map_or(demo, |switch| switch == Switch::On)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SuperUserMfaPolicy {
    Required,
    Optional,
}

impl From<SuperUserMfaPolicy> for SuperUserMfa {
    fn from(policy: SuperUserMfaPolicy) -> Self {
        match policy {
            SuperUserMfaPolicy::Required => Self::Required,
            SuperUserMfaPolicy::Optional => Self::Optional,
        }
    }
}

#[derive(Args, Clone, Default)]
pub struct ServeOptions {
    /// Fill an empty database with a demo tenant, and print a sign-in for it
    #[arg(long)]
    pub demo: bool,
}

/// Parses an address, or resolves a host name such as `localhost`.
fn listen_address(text: &str) -> Result<SocketAddr, String> {
    const ADVICE: &str = "write a host and a port, as in 127.0.0.1:3000 or localhost:3000";
    let mut resolved = text.to_socket_addrs().map_err(|cause| format!("{ADVICE} ({cause})"))?;
    resolved.next().ok_or_else(|| ADVICE.to_owned())
}

/// Reads the first line of a file.
fn read_password(file: &Path) -> Result<SecretString, SettingsError> {
    let setting = "the first super user's password";
    let text = fs::read_to_string(file);
    let text = text.map_err(|cause| SettingsError::Unreadable { setting, file: file.to_owned(), cause })?;
    Ok(text.lines().next().unwrap_or_default().to_owned().into())
}

fn range(text: &str) -> Result<IpNet, &'static str> {
    parse_range(text.trim()).ok_or("write an address as 10.0.0.5, or a range as 10.0.0.0/8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listen_address_can_name_a_host() {
        assert!(listen_address("localhost:3000").unwrap().ip().is_loopback());
        assert_eq!(listen_address("127.0.0.1:0").unwrap().port(), 0);
        for text in ["3000", "127.0.0.1", "localhost:http-alt:1", "localhost:70000", ""] {
            assert!(listen_address(text).unwrap_err().contains("localhost:3000"), "{text}");
        }
    }
}
