//! The commands that work on the data: carried out here, or by the server that owns the database.

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use keyring::{Error, Keyring};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    config::{Cli, Invocation, Settings},
    database_lock::{self, Executor},
    serve,
};

mod audit;
mod group;
mod key;
mod offer;
mod person;
mod property;
mod secret_key;
mod tenant;

const EXIT_SUCCESS: u8 = 0;
const EXIT_REFUSED: u8 = 1;
const EXIT_USAGE: u8 = 2;

/// The commands that work on data.
#[derive(Subcommand, Clone)]
pub enum Command {
    /// Organizations
    #[command(subcommand)]
    Tenant(tenant::TenantCommand),
    /// People who sign in to the console
    #[command(subcommand)]
    Person(person::PersonCommand),
    /// Hotels or sites of a tenant
    #[command(subcommand)]
    Property(property::PropertyCommand),
    /// Authorization groups: named sets of permissions
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// What a property offers on the public API
    #[command(subcommand)]
    Service(offer::ServiceCommand),
    /// Services with something added
    #[command(subcommand)]
    Package(offer::PackageCommand),
    /// API keys
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Who changed what, and when
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// The keys that encrypt what must be recoverable
    #[command(subcommand)]
    SecretKey(secret_key::SecretKeyCommand),
}

impl Command {
    fn wants_input(&self) -> bool {
        matches!(self, Self::Person(command) if command.wants_input())
    }
}

/// What a command prints, and how it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub code: u8,
    pub output: String,
    pub error: String,
}

impl Outcome {
    #[must_use]
    pub fn done(output: String) -> Self {
        Self { code: EXIT_SUCCESS, output, error: String::new() }
    }

    /// Understood and not carried out.
    #[must_use]
    pub fn refused(reason: &str) -> Self {
        Self { code: EXIT_REFUSED, output: String::new(), error: format!("latchkey: {reason}\n") }
    }

    /// It failed because the server or database could not be reached.
    #[must_use]
    pub fn unavailable(reason: &str, as_json: bool) -> Self {
        Refusal::new("unavailable", reason).outcome(as_json)
    }

    /// Prints it all and says how to exit.
    #[must_use]
    pub fn print(self) -> ExitCode {
        // The reader may have closed the pipe.
        let _ = std::io::stdout().write_all(self.output.as_bytes());
        let _ = std::io::stderr().write_all(self.error.as_bytes());
        ExitCode::from(self.code)
    }
}

/// What a command has to say when it is done: for programs, and for people.
struct Report {
    json: Value,
    text: String,
    /// Why the command exits like a refused one, although it was executed.
    failure: Option<String>,
}

impl Report {
    fn new(json: Value, text: impl Into<String>) -> Self {
        Self { json, text: text.into(), failure: None }
    }

    fn failing(self, reason: impl Into<String>) -> Self {
        Self { failure: Some(reason.into()), ..self }
    }

    fn outcome(self, as_json: bool) -> Outcome {
        let output = if as_json { format!("{}\n", self.json) } else { self.text };
        match self.failure {
            Some(reason) => Outcome { output, ..Outcome::refused(&reason) },
            None => Outcome::done(output),
        }
    }
}

/// Brings the database up to date. A server that owns it did so when it started.
pub async fn migrate(settings: &Settings) -> Outcome {
    let migrated = match database_lock::find_executor(&settings.database_url).await {
        Ok(Executor::Owner(_)) => Ok(()),
        Ok(Executor::We(_ownership)) => serve::migrate(settings).await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match migrated {
        Ok(()) if settings.json => Outcome::done(format!("{}\n", json!({ "up_to_date": true }))),
        Ok(()) => Outcome::done("The database is up to date.\n".to_owned()),
        Err(reason) => Outcome::unavailable(&reason, settings.json),
    }
}

/// Executes a command here, or forwards it to the running server.
pub async fn run(settings: &Settings, command: Command) -> Outcome {
    if let Command::SecretKey(secret_key::SecretKeyCommand::Generate) = command {
        // There is no database yet that could be opened.
        return secret_key::generate().outcome(settings.json);
    }
    let input = if command.wants_input() { read_input() } else { Ok(String::new()) };
    let input = match input {
        Ok(input) => input,
        Err(cause) => return Outcome::unavailable(&format!("cannot read standard input: {cause}"), settings.json),
    };
    match database_lock::find_executor(&settings.database_url).await {
        Ok(Executor::Owner(stream)) => {
            let asked = database_lock::forward_command(stream, std::env::args().collect(), input).await;
            asked.unwrap_or_else(|error| Outcome::unavailable(&error.to_string(), settings.json))
        }
        Ok(Executor::We(_ownership)) => match serve::open(settings).await {
            Ok(keyring) => {
                let public_url = serve::public_url(settings, settings.addr);
                let outcome = execute(&keyring, &public_url, command, settings.json, input).await;
                match keyring.close().await {
                    Ok(()) => outcome,
                    Err(error) => {
                        Outcome::unavailable(&format!("the database could not be closed: {error}"), settings.json)
                    }
                }
            }
            Err(error) => Outcome::unavailable(&error.to_string(), settings.json),
        },
        Err(error) => Outcome::unavailable(&error.to_string(), settings.json),
    }
}

/// Reads the first line of standard input, with a prompt on a terminal.
fn read_input() -> std::io::Result<String> {
    if std::io::stdin().is_terminal() {
        eprint!("Password: ");
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line)
}

/// Executes a command that another process forwarded over the control socket.
pub async fn parse_and_execute(keyring: &Keyring, public_url: &str, arguments: &[String], input: String) -> Outcome {
    match Cli::try_parse_from(arguments) {
        Ok(cli) => match cli.invocation() {
            Invocation::Execute(command) => execute(keyring, public_url, *command, cli.settings.json, input).await,
            Invocation::Serve(_) | Invocation::Migrate => Outcome::refused("the server is already running"),
        },
        Err(error) => Outcome { code: EXIT_USAGE, output: String::new(), error: error.to_string() },
    }
}

async fn execute(keyring: &Keyring, public_url: &str, command: Command, as_json: bool, input: String) -> Outcome {
    match apply(keyring, public_url, command, input).await {
        Ok(report) => report.outcome(as_json),
        Err(refusal) => refusal.outcome(as_json),
    }
}

async fn apply(keyring: &Keyring, public_url: &str, command: Command, input: String) -> Result<Report, Refusal> {
    let booking = || serve::booking(keyring);
    Ok(match command {
        Command::Tenant(command) => tenant::execute(keyring, command).await?,
        Command::Person(command) => person::execute(keyring, public_url, command, input).await?,
        Command::Property(command) => property::execute(keyring, command).await?,
        Command::Group(command) => group::execute(keyring, command).await?,
        Command::Service(command) => offer::service(keyring, &booking(), command).await?,
        Command::Package(command) => offer::package(keyring, &booking(), command).await?,
        Command::Key(command) => key::execute(keyring, command).await?,
        Command::Audit(command) => audit::execute(keyring, command).await?,
        Command::SecretKey(command) => secret_key::execute(keyring, command).await?,
    })
}

/// Why a command was not carried out: for programs, and for people.
struct Refusal {
    code: &'static str,
    detail: String,
    /// Every wrong field, when fields were wrong.
    errors: Value,
}

impl Refusal {
    fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: json!([]) }
    }

    fn outcome(self, as_json: bool) -> Outcome {
        let Self { code, detail, errors } = self;
        let document = json!({ "error": { "code": code, "detail": detail, "errors": errors } });
        let output = if as_json { format!("{document}\n") } else { String::new() };
        Outcome { output, ..Outcome::refused(&detail) }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        if matches!(error, Error::Unavailable(_) | Error::DiskFull(_) | Error::OutcomeUnknown(_)) {
            tracing::error!(cause = %error.root_cause(), "database error");
        }
        let errors = if let Error::Invalid(errors) = &error { json!(errors) } else { json!([]) };
        Self { errors, ..Self::new(code_of(&error), error.to_string()) }
    }
}

impl From<booking::Error> for Refusal {
    fn from(error: booking::Error) -> Self {
        let detail = error.to_string();
        match error {
            booking::Error::NotFound(_) => Self::new("not_found", detail),
            booking::Error::Invalid(wrong_fields) => {
                let wrong = |error: booking::FieldError| json!({ "field": error.field, "code": error.code, "detail": error.detail });
                Self { errors: wrong_fields.into_iter().map(wrong).collect(), ..Self::new("invalid", detail) }
            }
            booking::Error::Unavailable(cause) => {
                tracing::error!(%cause, "the database failed");
                Self::new("unavailable", detail)
            }
            booking::Error::DiskFull(cause) => {
                tracing::error!(%cause, "the database's disk is full");
                Self::new("disk_full", detail)
            }
            booking::Error::OutcomeUnknown(cause) => {
                tracing::error!(%cause, "the outcome of a write is unknown");
                Self::new("outcome_unknown", detail)
            }
            booking::Error::SoldOut { .. }
            | booking::Error::KeyReused
            | booking::Error::StillRunning
            | booking::Error::AdmissionChanged => Self::new("refused", detail),
        }
    }
}

fn code_of(error: &Error) -> &'static str {
    match error {
        Error::NotFound(_) => "not_found",
        Error::Invalid(_) => "invalid",
        Error::LimitReached { .. } | Error::OwnLimitReached { .. } => "limit_reached",
        Error::NoSubscription => "no_subscription",
        Error::Revoked => "revoked",
        Error::Changed(_) | Error::Outdated { .. } => "changed",
        Error::NotAnAdmin => "not_an_admin",
        Error::NotASuperUser => "not_a_super_user",
        Error::NotTheOwner => "not_the_owner",
        Error::NoKeysOfTheirOwn => "no_keys_of_their_own",
        Error::MfaEnrollmentRequired { .. } | Error::CodeNeeded => "second_factor",
        Error::StepUpRequired { .. } => "step_up_required",
        Error::SessionEnded => "session_ended",
        Error::AccessChanged => "access_changed",
        Error::AmbiguousEmail { .. } => "ambiguous_email",
        Error::WrongCredentials => "wrong_credentials",
        Error::TooManyAttempts { .. } => "too_many_attempts",
        Error::TooManyChanges { .. } => "too_many_changes",
        Error::Refused(_) => "refused",
        Error::Unavailable(_) => "unavailable",
        Error::DiskFull(_) => "disk_full",
        Error::OutcomeUnknown(_) => "outcome_unknown",
    }
}

/// Lines of columns, each as wide as its widest cell.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
