//! The command line.

use std::io::IsTerminal;

use clap::{Parser, Subcommand};
use keyring::Keyring;
use serde_json::json;

use crate::{
    commands::{self, Command},
    config::{ServeOptions, Settings},
    database_lock::{self, Executor, ForwardedCommand},
    installation::{self, Installation},
    outcome::Outcome,
};

/// Self-hosted API keys for organizations: a console, a public API, verification, and commands for all of it.
#[derive(Parser)]
#[command(name = "latchkey", version)]
pub struct Cli {
    #[command(flatten)]
    pub settings: Settings,
    #[command(subcommand)]
    command: Option<TopLevelCommand>,
}

#[derive(Subcommand)]
enum TopLevelCommand {
    /// Start the server (the default)
    Serve(ServeOptions),
    /// Migrate the database schema
    Migrate,
    #[command(flatten)]
    Command(Box<Command>),
}

/// A parsed command line.
pub enum Invocation {
    Serve(ServeOptions),
    Migrate,
    /// A command on data, executed here or by the running server.
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

/// Migrates the database. A running server that owns it did so when it started.
pub async fn migrate(settings: &Settings) -> Outcome {
    if let Err(error) = installation::check_database_file(settings, true) {
        return commands::unavailable(&error.to_string(), settings.json);
    }
    let migrated = match database_lock::find_executor(&settings.database_url).await {
        Ok(Executor::Server(_)) => Ok(()),
        Ok(Executor::ThisProcess(_lock)) => installation::migrate(settings).await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match migrated {
        Ok(()) if settings.json => Outcome::success(format!("{}\n", json!({ "up_to_date": true }))),
        Ok(()) => Outcome::success("The database is up to date.\n".to_owned()),
        Err(reason) => commands::unavailable(&reason, settings.json),
    }
}

/// Executes a command here, or forwards it to the running server.
pub async fn run_command(settings: &Settings, command: Command) -> Outcome {
    if let Some(outcome) = commands::execute_without_database(&command, settings.json) {
        return outcome;
    }
    let input = if command.wants_input() { read_password() } else { Ok(String::new()) };
    let input = match input {
        Ok(input) => input,
        Err(cause) => return commands::unavailable(&format!("cannot read standard input: {cause}"), settings.json),
    };
    if let Err(error) = installation::check_database_file(settings, command.creates_database()) {
        return commands::unavailable(&error.to_string(), settings.json);
    }
    match database_lock::find_executor(&settings.database_url).await {
        Ok(Executor::Server(stream)) => {
            let command = ForwardedCommand { arguments: std::env::args().collect(), input };
            let forwarded = database_lock::forward_command(stream, command).await;
            forwarded.unwrap_or_else(|error| commands::unavailable(&error.to_string(), settings.json))
        }
        Ok(Executor::ThisProcess(_lock)) => match installation::open(settings).await {
            Ok(keyring) => execute_and_close(settings, keyring, command, input).await,
            Err(error) => commands::unavailable(&error.to_string(), settings.json),
        },
        Err(error) => commands::unavailable(&error.to_string(), settings.json),
    }
}

async fn execute_and_close(settings: &Settings, keyring: Keyring, command: Command, input: String) -> Outcome {
    let public_url = installation::public_url(settings, settings.addr);
    let installation = Installation::new(keyring, settings.serves_booking(false), public_url);
    let outcome = commands::execute(&installation, command, settings.json, input).await;
    match installation.keyring.close().await {
        Ok(()) => outcome,
        Err(error) => commands::unavailable(&format!("the database could not be closed: {error}"), settings.json),
    }
}

/// Reads the first line of standard input, with a prompt on a terminal.
fn read_password() -> std::io::Result<String> {
    if std::io::stdin().is_terminal() {
        eprint!("Password: ");
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line)
}

/// Executes a command that another process forwarded over the control socket.
pub async fn execute_forwarded(installation: &Installation, command: ForwardedCommand) -> Outcome {
    let ForwardedCommand { arguments, input } = command;
    match Cli::try_parse_from(arguments) {
        Ok(cli) => match cli.invocation() {
            Invocation::Execute(command) => commands::execute(installation, *command, cli.settings.json, input).await,
            Invocation::Serve(_) | Invocation::Migrate => Outcome::refused("the server is already running"),
        },
        Err(error) => Outcome::usage(error.to_string()),
    }
}
