//! Logs.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{LogFormat, Settings};

/// Starts writing log lines to standard error.
pub fn start(settings: &Settings) {
    // Migrations tell every step as news; whoever wants that can ask for it by name.
    let quiet = "sea_orm_migration=warn";
    let filter = EnvFilter::try_new(format!("{quiet},{}", settings.log))
        .unwrap_or_else(|_| EnvFilter::new(format!("{quiet},info")));
    let lines = fmt().with_env_filter(filter).with_ansi(stderr().is_terminal()).with_writer(stderr);
    match settings.log_format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
}
