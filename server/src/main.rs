//! Reads the command line and does what it says.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use server::{
    commands::{self, Outcome},
    config::{Cli, Invocation, LogFormat},
    file_modes, serve, telemetry,
};

/// Every answer takes some dozens of small allocations.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    file_modes::set_private_umask();
    run()
}

#[tokio::main]
async fn run() -> ExitCode {
    let cli = Cli::parse();
    match cli.invocation() {
        Invocation::Serve(options) => {
            telemetry::start(&cli.settings);
            match serve::run(&cli.settings, &options).await {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) if cli.settings.log_format == LogFormat::Json => {
                    tracing::error!("{error}");
                    ExitCode::FAILURE
                }
                Err(error) => Outcome::refused(&error.to_string()).print(),
            }
        }
        Invocation::Migrate => commands::migrate(&cli.settings).await.print(),
        Invocation::Execute(command) => commands::run(&cli.settings, *command).await.print(),
    }
}
