use crate::{Result, Workspace, process};
use std::{path::PathBuf, process::Command};

/// The one that the tests were written against: another one asks other questions.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";

pub fn is_installed() -> bool {
    process::succeeds(Command::new("python3").args(["-c", "import ensurepip, venv"]))
}

/// Schemathesis, in an environment of its own below `target`.
pub fn schemathesis(workspace: &Workspace) -> Result<PathBuf> {
    let environment = workspace.root.join("target/schemathesis");
    let program = environment.join("bin/schemathesis");
    let is_wanted = process::read_output(Command::new(&program).arg("--version"))
        .is_ok_and(|version| SCHEMATHESIS.ends_with(version.trim().rsplit(' ').next().unwrap_or_default()));
    if !is_wanted {
        process::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
        process::run(Command::new(environment.join("bin/pip")).args(["install", "--quiet", SCHEMATHESIS]))?;
    }
    Ok(program)
}
