use crate::{Result, Workspace, build, process, profile::Profile};
use std::{os::unix::process::CommandExt, process::Command};

/// Becomes the server, so that its signals and its exit code are the real ones.
pub fn command(workspace: &Workspace, options: &[&str]) -> Result<()> {
    let program = build::everything(workspace, Profile::Quick)?;
    let mut server = Command::new(program);
    server.args(["serve", "--demo"]).args(options);
    let error = server.exec();
    Err(process::not_started(&server, &error).into())
}
