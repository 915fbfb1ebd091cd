//! Logs.

use std::{
    io::{IsTerminal, stderr},
    panic,
};

use tracing_subscriber::{filter::Targets, fmt, prelude::*};

use crate::config::{LogFormat, Settings};

/// Migrations log every step at info; it can be enabled by name.
const QUIET_TARGETS: &str = "sea_orm_migration=warn";

/// Starts writing log lines to standard error.
pub fn start(settings: &Settings) {
    let lines = fmt::layer().with_ansi(stderr().is_terminal()).with_writer(stderr);
    let logs = tracing_subscriber::registry().with(targets(&settings.log));
    match settings.log_format {
        LogFormat::Text => logs.with(lines).init(),
        LogFormat::Json => {
            logs.with(lines.json()).init();
            panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
        }
    }
}

/// Filters by target only: filters on spans would inspect the span of every request.
fn targets(wanted: &str) -> Targets {
    let with_quiet = |wanted| format!("{QUIET_TARGETS},{wanted}").parse::<Targets>();
    with_quiet(wanted).or_else(|_| with_quiet("info")).unwrap_or_default()
}
