mod clients;
mod conformance;
mod demo;

use crate::{
    Result, Workspace, build, fuzz, process,
    profile::Profile,
    services::{Postgres, Redis},
    setup::{self, CargoTool, Tool},
    site, soak,
};
use std::process::Command;

const POSTGRES_URL: &str = "LATCHKEY_TEST_POSTGRES_URL";
const REDIS_URL: &str = "LATCHKEY_TEST_REDIS_URL";
/// Says that the programs which some tests run are installed. Its value is the folder of those that Debian does not have.
const PROGRAMS: &str = "LATCHKEY_TEST_PROGRAMS";

pub fn everything(workspace: &Workspace) -> Result<()> {
    setup::for_tests(workspace)?;
    site::build(workspace, Profile::Release)?;
    let postgres = Postgres::start()?;
    let redis = Redis::start()?;
    let rust = rust(workspace, &postgres, &redis);
    let fuzz = fuzz::run_each_target(workspace, fuzz::BRIEFLY);
    let conformance = conformance::check(workspace);
    let clients = clients::run(workspace);
    let soak = soak::briefly(workspace);
    let browser = browser(workspace, &postgres, &[]);
    drop((postgres, redis));
    summary(&[
        ("Rust tests", rust),
        ("Fuzz targets", fuzz),
        ("API against its description", conformance),
        ("Third-party clients", clients),
        ("Three servers under load", soak),
        ("Browser tests", browser),
    ])
}

pub fn conformance_alone(workspace: &Workspace) -> Result<()> {
    prepare(workspace, &[Tool::Python])?;
    summary(&[("API against its description", conformance::check(workspace))])
}

pub fn clients_alone(workspace: &Workspace) -> Result<()> {
    prepare(workspace, setup::TOOLS_OF_CLIENTS)?;
    setup::check_node()?;
    summary(&[("Third-party clients", clients::run(workspace))])
}

pub fn rust_alone(workspace: &Workspace) -> Result<()> {
    prepare(workspace, setup::TOOLS_OF_RUST_TESTS)?;
    CargoTool::Nextest.install(workspace)?;
    let outcome = rust(workspace, &Postgres::start()?, &Redis::start()?);
    summary(&[("Rust tests", outcome)])
}

pub fn browser_alone(workspace: &Workspace, options: &[&str]) -> Result<()> {
    prepare(workspace, setup::TOOLS_OF_BROWSER_TESTS)?;
    setup::end2end(workspace)?;
    let outcome = browser(workspace, &Postgres::start()?, options);
    summary(&[("Browser tests", outcome)])
}

fn prepare(workspace: &Workspace, tools: &[Tool]) -> Result<()> {
    setup::wasm_target(workspace)?;
    setup::programs(tools)?;
    site::build(workspace, Profile::Release)
}

/// Runs the tests that measure time by themselves, after all others.
fn rust(workspace: &Workspace, postgres: &Postgres, redis: &Redis) -> Result<()> {
    let workspace_tests = ["--locked", "--workspace", "--exclude", "frontend"];
    let programs = setup::PROXIES.install(workspace)?;
    let with_services = |command: &mut Command| {
        process::run(command.env(POSTGRES_URL, postgres.url()).env(REDIS_URL, redis.url()).env(PROGRAMS, &programs))
    };
    let nextest = |profile: &str| {
        let mut command = CargoTool::Nextest.command(workspace, &["run", "--profile", profile])?;
        with_services(command.args(workspace_tests))
    };
    let outcomes = [
        nextest("default"),
        nextest("timing"),
        with_services(workspace.cargo(&["test", "--doc"]).args(workspace_tests)),
    ];
    outcomes.into_iter().collect()
}

fn browser(workspace: &Workspace, postgres: &Postgres, options: &[&str]) -> Result<()> {
    let program = build::server_of_tests(workspace)?;
    let mut playwright = Command::new("npx");
    playwright
        .args(["playwright", "test"])
        .args(options)
        .current_dir(workspace.end2end())
        .env("LATCHKEY_PROGRAM", program)
        .env(POSTGRES_URL, postgres.url());
    if let Some(chromium) = setup::chromium(workspace)? {
        playwright.env("LATCHKEY_CHROMIUM", chromium);
    }
    process::run(&mut playwright)
}

fn summary(parts: &[(&str, Result<()>)]) -> Result<()> {
    println!();
    for (name, outcome) in parts {
        match outcome {
            Ok(()) => println!("{name}: passed"),
            Err(error) => println!("{name}: FAILED: {error}"),
        }
    }
    if parts.iter().all(|(_, outcome)| outcome.is_ok()) {
        return Ok(());
    }
    Err("not every test passed".into())
}
