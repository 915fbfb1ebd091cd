use crate::{
    Result, Workspace, process,
    setup::{self, CargoTool, Tool},
};
use std::{fs, process::Command};

/// The time for each target in `cargo xtask test`.
pub const BRIEFLY: u64 = 2;

/// The default time for each target.
pub const DEFAULT_SECONDS: u64 = 60;

/// The pinned toolchain is stable, which has no sanitizers.
const OPTIONS: &[&str] = &["--dev", "--sanitizer", "none", "--target-dir"];

pub fn command(workspace: &Workspace, seconds: u64) -> Result<()> {
    setup::wasm_target(workspace)?;
    setup::programs(&[Tool::Cxx])?;
    CargoTool::Fuzz.install(workspace)?;
    // The server does not compile without a site to embed, be it an empty one.
    fs::create_dir_all(workspace.site())?;
    run_each_target(workspace, seconds)
}

/// Runs each fuzz target for this many seconds, and fails on the first input that breaks one.
pub fn run_each_target(workspace: &Workspace, seconds: u64) -> Result<()> {
    process::run(&mut cargo_fuzz(workspace, "build", &[])?)?;
    let targets = process::read_output(&mut CargoTool::Fuzz.command(workspace, &["list"])?)?;
    let limit = format!("-max_total_time={seconds}");
    for target in targets.lines() {
        process::run(&mut cargo_fuzz(
            workspace,
            "run",
            &[target, "--", &limit, "-verbosity=0", "-print_final_stats=1"],
        )?)?;
    }
    println!("{} fuzz targets ran for {seconds} s each", targets.lines().count());
    Ok(())
}

fn cargo_fuzz(workspace: &Workspace, subcommand: &str, arguments: &[&str]) -> Result<Command> {
    let mut command = CargoTool::Fuzz.command(workspace, &[subcommand])?;
    command.args(OPTIONS).arg(workspace.target.join("fuzz")).args(arguments);
    Ok(command)
}
