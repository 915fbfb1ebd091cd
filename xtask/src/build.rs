use crate::{Result, Workspace, process, profile::Profile, setup, site};
use std::path::PathBuf;

pub fn command(workspace: &Workspace) -> Result<()> {
    let program = everything(workspace, Profile::Release)?;
    println!("{}", program.display());
    Ok(())
}

/// The site, then the server that holds it.
pub fn everything(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    setup::wasm_target(workspace)?;
    site::build(workspace, profile)?;
    server(workspace, profile)
}

/// The server as the tests have it, and the bench beside it. Built by themselves, their dependencies would have other
/// features, and the machine would compile them a second time.
pub fn server_of_tests(workspace: &Workspace) -> Result<PathBuf> {
    process::run(&mut workspace.cargo(&[
        "build",
        "--locked",
        "--workspace",
        "--exclude",
        "frontend",
        "--all-targets",
    ]))?;
    Ok(workspace.program(Profile::Dev))
}

pub fn server(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    let mut cargo = workspace.cargo(&["build", "--locked", "-p", "server"]);
    match profile {
        Profile::Release => drop(cargo.arg("--release")),
        Profile::Quick => drop(cargo.args(["--profile", "quick"])),
        Profile::Dev => {}
    }
    process::run(&mut cargo)?;
    Ok(workspace.program(profile))
}
