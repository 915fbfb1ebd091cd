//! Starting other programs, and saying in one line what went wrong with them.

use crate::Result;
use std::{
    env,
    ffi::OsStr,
    io::ErrorKind,
    path::PathBuf,
    process::{Command, Stdio},
};

/// Shows the command, runs it with our own standard streams and fails when it fails.
pub fn run(command: &mut Command) -> Result<()> {
    let words = command_line(command);
    eprintln!("$ {words}");
    let status = command.status().map_err(|error| not_started(command, &error))?;
    if status.success() {
        return Ok(());
    }
    Err(format!("`{words}` failed ({status})").into())
}

/// Returns the command's output. Its errors are passed through.
pub fn read_output(command: &mut Command) -> Result<String> {
    let output =
        command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().map_err(|error| not_started(command, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    Err(format!("`{}` failed ({})", command_line(command), output.status).into())
}

/// Returns true if the command succeeds. Prints nothing.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

pub fn find_program(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|directory| directory.join(program)).find(|path| path.is_file())
}

pub fn is_root() -> bool {
    read_output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

pub fn command_line(command: &Command) -> String {
    let words: Vec<_> =
        std::iter::once(command.get_program()).chain(command.get_args()).map(OsStr::to_string_lossy).collect();
    words.join(" ")
}

pub fn not_started(command: &Command, error: &std::io::Error) -> String {
    let program = command.get_program().to_string_lossy();
    match error.kind() {
        ErrorKind::NotFound => {
            format!("`{program}` is missing: install it and run this again")
        }
        _ => format!("`{program}` could not be started: {error}"),
    }
}
