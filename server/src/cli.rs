//! The command line.

use std::io::{self, IsTerminal};

use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;
use clap_mangen::Man;
use keyring::Keyring;
use serde_json::json;

use crate::{
    commands::{self, Command, PasswordSource},
    config::{ServeOptions, Settings, SettingsError},
    database_lock::{self, DatabaseLockError, Executor, ForwardedCommand},
    installation::{self, Installation, InstallationError},
    outcome::Outcome,
    password_prompt,
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
    /// Print a script that completes commands in a shell
    Completions {
        /// The shell that reads the script
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print a manual page, as in `latchkey man key create | man -l -`
    Man {
        /// The command [default: latchkey itself]
        command: Vec<String>,
    },
}

/// A parsed command line.
pub enum Invocation {
    Serve(ServeOptions),
    Migrate,
    /// A command on data, executed here or by the running server.
    Execute(Box<Command>),
    Completions(Shell),
    Man(Vec<String>),
}

/// The settings that commands on data list in their help. They accept the others too, which are the server's.
const SETTINGS_OF_COMMANDS: [&str; 4] = ["database_url", "database_url_file", "secret_key_file", "json"];

/// Returns the whole command line, for parsing and for what describes it.
#[must_use]
pub fn command_line() -> clap::Command {
    let command = Cli::command();
    let is_of_server = |arg: &&Arg| arg.is_global_set() && !SETTINGS_OF_COMMANDS.contains(&arg.get_id().as_str());
    let hidden: Vec<Arg> = command.get_arguments().filter(is_of_server).map(|arg| arg.clone().hide(true)).collect();
    command.mut_subcommands(|subcommand| match subcommand.get_name() {
        "serve" => subcommand,
        _ => subcommand.args(&hidden),
    })
}

impl Cli {
    /// Parses the arguments of this process. Prints help or an error and exits if they ask for it.
    #[must_use]
    pub fn from_process_arguments() -> Self {
        let parsed = Self::from_arg_matches_mut(&mut command_line().get_matches());
        parsed.unwrap_or_else(|error| error.exit())
    }

    /// Parses the arguments of another process.
    fn from_arguments(arguments: Vec<String>) -> Result<Self, clap::Error> {
        Self::from_arg_matches_mut(&mut command_line().try_get_matches_from(arguments)?)
    }

    #[must_use]
    pub fn invocation(&self) -> Invocation {
        match &self.command {
            None => Invocation::Serve(ServeOptions::default()),
            Some(TopLevelCommand::Serve(options)) => Invocation::Serve(options.clone()),
            Some(TopLevelCommand::Migrate) => Invocation::Migrate,
            Some(TopLevelCommand::Command(command)) => Invocation::Execute(command.clone()),
            Some(TopLevelCommand::Completions { shell }) => Invocation::Completions(*shell),
            Some(TopLevelCommand::Man { command }) => Invocation::Man(command.clone()),
        }
    }
}

/// Returns the script that completes our commands in a shell.
#[must_use]
pub fn completions(shell: Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command_line(), "latchkey", &mut script);
    Outcome::success(String::from_utf8_lossy(&script).into_owned())
}

/// Returns the manual page of a command, named by its words.
#[must_use]
pub fn manual_page(words: &[String]) -> Outcome {
    let mut whole = command_line();
    // Gives each command its full name and the arguments that it inherits.
    whole.build();
    let found = words.iter().try_fold(&whole, |command, word| command.find_subcommand(word));
    let Some(command) = found else {
        return Outcome::usage(format!("latchkey: there is no command `{}`; see `latchkey --help`\n", words.join(" ")));
    };
    let mut page = Vec::new();
    match Man::new(command.clone()).render(&mut page) {
        Ok(()) => Outcome::success(String::from_utf8_lossy(&page).into_owned()),
        Err(cause) => Outcome::refused(&format!("the manual page could not be written: {cause}")),
    }
}

/// Migrates the database. A running server that owns it did so when it started.
pub async fn migrate(settings: &Settings) -> Outcome {
    match migrate_here(settings).await {
        Ok(()) if settings.json => Outcome::success(format!("{}\n", json!({ "up_to_date": true }))),
        Ok(()) => Outcome::success("The database is up to date.\n".to_owned()),
        Err(cause) => commands::unavailable(&cause.to_string(), settings.json),
    }
}

async fn migrate_here(settings: &Settings) -> Result<(), StartError> {
    let database_url = settings.database_url()?;
    installation::check_database_file(&database_url, true)?;
    match database_lock::find_executor(&database_url).await? {
        Executor::Server(_) => {}
        Executor::ThisProcess(_lock) => installation::migrate(&database_url).await?,
    }
    Ok(())
}

/// Why a command could not be executed.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("cannot read the password: {0}")]
    Password(#[from] io::Error),
    #[error(transparent)]
    Installation(#[from] InstallationError),
    #[error(transparent)]
    Lock(#[from] DatabaseLockError),
}

/// Executes a command here, or forwards it to the running server.
pub async fn run_command(settings: &Settings, command: Command) -> Outcome {
    if let Some(outcome) = commands::execute_without_database(&command, settings.json) {
        return outcome;
    }
    run_on_database(settings, command)
        .await
        .unwrap_or_else(|cause| commands::unavailable(&cause.to_string(), settings.json))
}

async fn run_on_database(settings: &Settings, command: Command) -> Result<Outcome, StartError> {
    let database_url = settings.database_url()?;
    installation::check_database_file(&database_url, command.creates_database())?;
    let input = command.password_source().map(read_password).transpose()?.unwrap_or_default();
    match database_lock::find_executor(&database_url).await? {
        Executor::Server(stream) => {
            let command = ForwardedCommand { arguments: std::env::args().collect(), input };
            Ok(database_lock::forward_command(stream, command).await?)
        }
        Executor::ThisProcess(_lock) => {
            let keyring = installation::open(settings, &database_url).await?;
            Ok(execute_and_close(settings, keyring, command, input).await)
        }
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

/// Reads a password, from a terminal without echo.
fn read_password(source: PasswordSource) -> io::Result<String> {
    let is_terminal = io::stdin().is_terminal();
    match source {
        PasswordSource::Prompt if !is_terminal => {
            Err(io::Error::other("standard input is no terminal; pipe the password in with --password-stdin"))
        }
        PasswordSource::Prompt => password_prompt::ask_twice(),
        PasswordSource::Stdin if is_terminal => password_prompt::ask(),
        PasswordSource::Stdin => {
            let mut line = String::new();
            io::stdin().read_line(&mut line)?;
            Ok(line)
        }
    }
}

/// Executes a command that another process forwarded over the control socket.
pub async fn execute_forwarded(installation: &Installation, command: ForwardedCommand) -> Outcome {
    let ForwardedCommand { arguments, input } = command;
    match Cli::from_arguments(arguments) {
        Ok(cli) => match cli.invocation() {
            Invocation::Execute(command) => commands::execute(installation, *command, cli.settings.json, input).await,
            _ => Outcome::refused("the server is already running"),
        },
        Err(error) => Outcome::usage(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_described(command: &clap::Command) {
        assert!(command.get_about().is_some(), "{}", command.get_name());
        for arg in command.get_arguments() {
            assert!(arg.get_help().is_some(), "{} of {}", arg.get_id(), command.get_name());
        }
        command.get_subcommands().for_each(check_described);
    }

    #[test]
    fn every_command_and_argument_is_described() {
        check_described(&command_line());
    }

    #[test]
    fn command_line_is_consistent() {
        command_line().debug_assert();
    }

    #[test]
    fn server_settings_are_accepted_by_commands_but_not_listed() {
        let cli =
            Cli::from_arguments(["latchkey", "tenant", "list", "--memory", "64"].map(str::to_owned).into()).unwrap();
        assert_eq!(cli.settings.memory, 64);
        let mut help = command_line();
        help.build();
        let list = help.find_subcommand_mut("tenant").unwrap().find_subcommand_mut("list").unwrap();
        let help = list.render_long_help().to_string();
        assert!(help.contains("--database-url") && !help.contains("--memory"), "{help}");
    }
}
