//! The commands that work on data, in this process or in the running server.

use clap::Subcommand;
use keyring::Error;
use serde_json::{Value, json};

use crate::{installation::Installation, outcome::Outcome};

mod audit;
mod group;
mod key;
mod offer;
mod permission;
mod person;
mod property;
mod secret_key;
mod tenant;

/// The commands that work on data.
#[derive(Subcommand, Clone)]
pub enum Command {
    /// Organizations
    #[command(subcommand)]
    Tenant(tenant::TenantCommand),
    /// People who sign in to the console
    #[command(subcommand)]
    Person(person::PersonCommand),
    /// Sites of a tenant, to which keys can be restricted
    #[command(subcommand)]
    Property(property::PropertyCommand),
    /// Authorization groups: named sets of permissions
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// The permissions that group forms offer
    #[command(subcommand)]
    Permission(permission::PermissionCommand),
    /// Services of a property, offered by the booking API
    #[command(subcommand, hide = !is_booking_on())]
    Service(offer::ServiceCommand),
    /// Services with something added
    #[command(subcommand, hide = !is_booking_on())]
    Package(offer::PackageCommand),
    /// API keys
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// The audit log
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// The keys that encrypt what must be recoverable
    #[command(subcommand)]
    SecretKey(secret_key::SecretKeyCommand),
}

impl Command {
    /// Returns true if the command begins a new installation.
    #[must_use]
    pub fn creates_database(&self) -> bool {
        matches!(self, Self::Tenant(tenant::TenantCommand::Create { .. }))
    }

    /// Returns where the password comes from, if the command takes one.
    #[must_use]
    pub fn password_source(&self) -> Option<PasswordSource> {
        match self {
            Self::Person(command) => command.password_source(),
            _ => None,
        }
    }
}

/// The source of a password, which is never an argument: every account of the machine can read those.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordSource {
    /// The terminal, without echo.
    Prompt,
    /// The first line of standard input.
    Stdin,
}

/// Returns true if the environment enables the booking API, so that help lists its commands.
fn is_booking_on() -> bool {
    std::env::var("LATCHKEY_BOOKING").is_ok_and(|value| value == "on")
}

/// The result of a command, as JSON and as text.
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
            None => Outcome::success(output),
        }
    }
}

/// Executes a command on a database that this process has opened.
pub async fn execute(installation: &Installation, command: Command, as_json: bool, input: String) -> Outcome {
    match apply(installation, command, input).await {
        Ok(report) => report.outcome(as_json),
        Err(refusal) => refusal.outcome(as_json),
    }
}

/// Executes a command that needs no database.
#[must_use]
pub fn execute_without_database(command: &Command, as_json: bool) -> Option<Outcome> {
    match command {
        Command::SecretKey(secret_key::SecretKeyCommand::Generate) => Some(secret_key::generate().outcome(as_json)),
        _ => None,
    }
}

/// The command failed because the server or database could not be reached.
#[must_use]
pub fn unavailable(reason: &str, as_json: bool) -> Outcome {
    Refusal::new("unavailable", reason).outcome(as_json)
}

async fn apply(installation: &Installation, command: Command, input: String) -> Result<Report, Refusal> {
    let Installation { keyring, booking, public_url } = installation;
    let booking = || booking.as_ref().ok_or_else(booking_is_off);
    Ok(match command {
        Command::Tenant(command) => tenant::execute(keyring, command).await?,
        Command::Person(command) => person::execute(keyring, public_url, command, input).await?,
        Command::Property(command) => property::execute(keyring, command).await?,
        Command::Group(command) => group::execute(keyring, command).await?,
        Command::Permission(command) => permission::execute(keyring, command).await?,
        Command::Service(command) => offer::service(keyring, booking()?, command).await?,
        Command::Package(command) => offer::package(keyring, booking()?, command).await?,
        Command::Key(command) => key::execute(keyring, command).await?,
        Command::Audit(command) => audit::execute(keyring, command).await?,
        Command::SecretKey(command) => secret_key::execute(keyring, command).await?,
    })
}

fn booking_is_off() -> Refusal {
    Refusal::new("booking_is_off", "The booking API is off. Set LATCHKEY_BOOKING=on to use this command.")
}

/// Why a command was refused.
struct Refusal {
    code: &'static str,
    detail: String,
    /// The invalid fields, if there are any.
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
        let detail = match &error {
            Error::LimitReached { .. } => format!("{error} `latchkey tenant set --key-limit` raises it."),
            other => other.to_string(),
        };
        Self { errors, ..Self::new(code_of(&error), detail) }
    }
}

impl From<booking::Error> for Refusal {
    fn from(error: booking::Error) -> Self {
        use booking::Error::{DiskFull, OutcomeUnknown, Unavailable};
        if matches!(error, Unavailable(_) | DiskFull(_) | OutcomeUnknown(_)) {
            tracing::error!(cause = %error.root_cause(), "database error");
        }
        let detail = error.to_string();
        match error {
            booking::Error::NotFound(_) => Self::new("not_found", detail),
            booking::Error::Invalid(wrong_fields) => {
                let wrong = |error: booking::FieldError| json!({ "field": error.field, "code": error.code, "detail": error.detail });
                Self { errors: wrong_fields.into_iter().map(wrong).collect(), ..Self::new("invalid", detail) }
            }
            booking::Error::Unavailable(_) => Self::new("unavailable", detail),
            booking::Error::DiskFull(_) => Self::new("disk_full", detail),
            booking::Error::OutcomeUnknown(_) => Self::new("outcome_unknown", detail),
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

/// One object in full.
fn pretty(view: Value) -> Report {
    let text = serde_json::to_string_pretty(&view).unwrap_or_default();
    Report::new(view, format!("{text}\n"))
}

/// Reports on a `create`. With `--if-absent`, one with this name may have existed.
fn created(mut view: Value, is_new: bool, name: &str) -> Report {
    let id = view["id"].as_str().unwrap_or_default().to_owned();
    view["created"] = is_new.into();
    let text = if is_new { format!("Created {name} ({id}).\n") } else { format!("{name} ({id}) exists already.\n") };
    Report::new(view, text)
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
