//! Parses the command line and runs it.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use server::{
    cli::{self, Cli, Invocation},
    config::LogFormat,
    file_modes,
    outcome::Outcome,
    serve, telemetry,
};

/// Every response takes some dozens of small allocations.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    file_modes::set_private_umask();
    run()
}

#[tokio::main]
async fn run() -> ExitCode {
    let cli = Cli::from_process_arguments();
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
        Invocation::Migrate => cli::migrate(&cli.settings).await.print(),
        Invocation::Completions(shell) => cli::completions(shell).print(),
        Invocation::Man(command) => cli::manual_page(&command).print(),
        Invocation::Execute(command) => cli::run_command(&cli.settings, *command).await.print(),
    }
}
