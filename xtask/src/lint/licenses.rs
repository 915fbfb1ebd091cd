//! `cargo deny`, by the rules in `deny.toml`.

use crate::{Result, Workspace, process, setup::CargoTool};

pub fn check(workspace: &Workspace) -> Result<()> {
    process::run(&mut CargoTool::Deny.command(workspace, &["check", "licenses", "bans", "sources"])?)?;
    if !process::succeeds(&mut CargoTool::Deny.command(workspace, &["fetch", "db"])?) {
        println!("The database of advisories could not be fetched, so it was not consulted.");
        return Ok(());
    }
    process::run(&mut CargoTool::Deny.command(workspace, &["check", "advisories"])?)
}
