//! Reads the command line and does what it says.

use std::process::ExitCode;

use clap::Parser;
use server::{
    commands::{self, Outcome},
    config::{Cli, Command},
    serve, telemetry,
};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command() {
        Command::Serve(options) => {
            telemetry::start(&cli.settings);
            match serve::run(&cli.settings, &options).await {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => refuse(&error.to_string()),
            }
        }
        Command::Migrate => match serve::migrate(&cli.settings).await {
            Ok(()) => Outcome::done("The database is up to date.\n".to_owned()).print(),
            Err(error) => refuse(&error.to_string()),
        },
        Command::Do(command) => commands::run(&cli.settings, *command).await.print(),
    }
}

fn refuse(reason: &str) -> ExitCode {
    eprintln!("latchkey: {reason}");
    ExitCode::from(commands::REFUSED)
}
