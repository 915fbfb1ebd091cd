use crate::{Result, Workspace, process};
use std::path::Path;

const BROWSER: &str = "wasm32-unknown-unknown";

pub fn wasm_target(workspace: &Workspace) -> Result<()> {
    let mut rustc = workspace.command("rustc", &["--print", "target-libdir", "--target", BROWSER]);
    let libraries = process::read_output(&mut rustc)?;
    if Path::new(libraries.trim()).is_dir() {
        return Ok(());
    }
    process::run(&mut workspace.command("rustup", &["target", "add", BROWSER])).map_err(|error| {
        format!("Rust cannot compile for the browser yet: {error}. Add the target {BROWSER} and run this again").into()
    })
}

/// `rustfmt` and `clippy`, which a minimal toolchain lacks.
pub fn components(workspace: &Workspace) -> Result<()> {
    let there = ["fmt", "clippy"].iter().all(|word| process::succeeds(&mut workspace.cargo(&[word, "--version"])));
    if there {
        return Ok(());
    }
    process::run(&mut workspace.command("rustup", &["component", "add", "rustfmt", "clippy"]))
}
