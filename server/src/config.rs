//! Every option, as a flag, an environment variable and a line of `--help`.

use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf};

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use domain::{network::parse_range, origin::Origin, secret::Product};
use ipnet::IpNet;
use keyring::{LEGACY_SUNSET, SuperUserMfa};
use secrecy::SecretString;

use crate::commands::Command;

/// Keeps an organization's API keys: a browser console, and commands that do the same.
#[derive(Parser)]
#[command(name = "latchkey", version)]
pub struct Cli {
    #[command(flatten)]
    pub settings: Settings,
    #[command(subcommand)]
    command: Option<TopLevelCommand>,
}

/// What the installation is like.
#[derive(Args, Clone)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// Where to listen
    #[arg(long, env = "LATCHKEY_ADDR", default_value = "127.0.0.1:3000", global = true)]
    pub addr: SocketAddr,

    /// Where browsers find the console; decides links, cookies and which origin may post [default: http://<addr>]
    #[arg(long, env = "LATCHKEY_PUBLIC_URL", value_parser = Origin::parse, global = true)]
    pub public_url: Option<Origin>,

    /// sqlite://path/to/file, or postgres://user:password@host/name
    #[arg(
        long,
        env = "LATCHKEY_DATABASE_URL",
        default_value = "sqlite://data/latchkey.db",
        hide_env_values = true,
        global = true
    )]
    pub database_url: String,

    /// The keys that encrypt what must be recoverable, one per line; the first encrypts. PostgreSQL needs it
    /// [default: made beside the SQLite file]
    #[arg(long, env = "LATCHKEY_SECRET_KEY_FILE", global = true)]
    pub secret_key_file: Option<PathBuf>,

    /// How much memory to use for keys, in MiB: they are answered from there
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

    /// The first part of new secrets
    #[arg(long, env = "LATCHKEY_KEY_PRODUCT", default_value = "lk", global = true)]
    pub key_product: Product,

    /// The last day of Basic and JWT on the public API; from the day after they are refused
    #[arg(long, env = "LATCHKEY_LEGACY_SUNSET", default_value_t = LEGACY_SUNSET, global = true)]
    pub legacy_sunset: NaiveDate,

    /// An e-mail address or link, shown where the console says to contact support
    #[arg(long, env = "LATCHKEY_SUPPORT_CONTACT", global = true)]
    pub support_contact: Option<String>,

    /// With the password, makes the first super user when there is none
    #[arg(long, env = "LATCHKEY_ADMIN_EMAIL", requires = "admin_password", global = true)]
    pub admin_email: Option<String>,

    /// The first super user's password
    #[arg(long, env = "LATCHKEY_ADMIN_PASSWORD", hide_env_values = true, global = true)]
    pub admin_password: Option<SecretString>,

    /// Whether super users must have a second factor [default: required; optional with --demo]
    #[arg(long, env = "LATCHKEY_SUPER_USER_MFA", global = true)]
    pub super_user_mfa: Option<SuperUserMfaPolicy>,

    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    pub json: bool,

    /// How much to log: error, warn, info, debug or trace, also by module
    #[arg(long, env = "LATCHKEY_LOG", default_value = "info", global = true)]
    pub log: String,

    /// How log lines look
    #[arg(long, env = "LATCHKEY_LOG_FORMAT", default_value = "text", global = true)]
    pub log_format: LogFormat,
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

#[derive(Subcommand)]
enum TopLevelCommand {
    /// Serve the console (what happens with no command at all)
    Serve(ServeOptions),
    /// Bring the database's schema up to date
    Migrate,
    #[command(flatten)]
    Command(Box<Command>),
}

#[derive(Args, Clone, Default)]
pub struct ServeOptions {
    /// Fill an empty database with a believable tenant, and print a sign-in for it
    #[arg(long)]
    pub demo: bool,
}

/// What the command line asks for.
pub enum Invocation {
    Serve(ServeOptions),
    Migrate,
    /// A command that works on the data, wherever the server is.
    Execute(Box<Command>),
}

impl Cli {
    #[must_use]
    pub fn invocation(&self) -> Invocation {
        match &self.command {
            None => Invocation::Serve(ServeOptions::default()),
            Some(TopLevelCommand::Serve(options)) => Invocation::Serve(options.clone()),
            Some(TopLevelCommand::Migrate) => Invocation::Migrate,
            Some(TopLevelCommand::Command(command)) => Invocation::Execute(command.clone()),
        }
    }
}

fn range(text: &str) -> Result<IpNet, &'static str> {
    parse_range(text.trim()).ok_or("write an address as 10.0.0.5, or a range as 10.0.0.0/8")
}
