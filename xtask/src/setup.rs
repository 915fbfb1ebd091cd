//! Installs what building and testing needs on a machine with Rust and Node.

mod browser;
mod cargo_tools;
mod debian;
mod python;
mod rust;

pub use browser::{check_node, chromium, end2end, node_packages};
pub use cargo_tools::CargoTool;
pub use debian::{Tool, programs};
pub use python::{CLIENT_TOOLS, PROXIES, SCHEMATHESIS};
pub use rust::{components, wasm_target};

use crate::{Result, Workspace};

/// Databases, proxies, and what the documentation's examples and commands use.
pub const TOOLS_OF_RUST_TESTS: &[Tool] = &[
    Tool::Postgres,
    Tool::Redis,
    Tool::Nginx,
    Tool::Haproxy,
    Tool::Caddy,
    Tool::Apache,
    Tool::ApacheOpenidc,
    Tool::LuaSocket,
    Tool::Python,
    Tool::Curl,
    Tool::Kill,
    Tool::Sqlite,
    Tool::Systemd,
    Tool::Logrotate,
    Tool::Prometheus,
    Tool::Ip,
];

pub const TOOLS_OF_BROWSER_TESTS: &[Tool] = &[Tool::Chromium, Tool::Postgres, Tool::Fonts];

/// What clients are generated and compiled with.
pub const TOOLS_OF_CLIENTS: &[Tool] =
    &[Tool::Python, Tool::Java, Tool::JavaAnnotations, Tool::JavaNullness, Tool::JavaMultipart];

/// `cargo xtask setup`: installs everything that the other commands need.
pub fn command(workspace: &Workspace) -> Result<()> {
    for_lint(workspace)?;
    for_tests(workspace)
}

/// Installs what `cargo xtask lint` needs.
pub fn for_lint(workspace: &Workspace) -> Result<()> {
    announce("formatter, linter, WebAssembly target, cargo-deny");
    wasm_target(workspace)?;
    components(workspace)?;
    CargoTool::Deny.install(workspace)
}

/// Installs what `cargo xtask test` needs.
pub fn for_tests(workspace: &Workspace) -> Result<()> {
    announce("databases, proxies, Chromium, Playwright, cargo-nextest, cargo-fuzz");
    browser::check_node()?;
    wasm_target(workspace)?;
    programs(&[TOOLS_OF_RUST_TESTS, TOOLS_OF_BROWSER_TESTS, TOOLS_OF_CLIENTS, &[Tool::Cxx]].concat())?;
    end2end(workspace)?;
    PROXIES.install(workspace)?;
    CargoTool::Nextest.install(workspace)?;
    CargoTool::Fuzz.install(workspace)
}

fn announce(tools: &str) {
    println!("Setup: {tools}");
}
