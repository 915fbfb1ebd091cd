mod budget;
mod crate_graph;
mod files;
mod licenses;
mod modules;
mod sources;
mod trees;
mod words;

use crate::{Result, Workspace, process, profile::Profile, setup, site};
use std::fs;

type Step = (&'static str, fn(&Workspace) -> Result<()>);

const STEPS: &[Step] = &[
    ("formatting", formatting),
    ("clippy", clippy),
    ("clippy for the browser", clippy_for_the_browser),
    ("crate graph", crate_graph::check),
    ("dependency trees", trees::check),
    ("licenses, bans and sources", licenses::check),
    ("module graph", modules::check),
    ("source rules", sources::check),
    ("words and names", words::check),
    ("size budget", size_budget),
];

pub fn command(workspace: &Workspace) -> Result<()> {
    setup::for_lint(workspace)?;
    // The server does not compile without a site to embed, be it an empty one.
    fs::create_dir_all(workspace.site())?;
    let failures: Vec<String> =
        STEPS.iter().filter_map(|(name, step)| step(workspace).err().map(|error| format!("{name}: {error}"))).collect();
    if failures.is_empty() {
        println!("No complaints.");
        return Ok(());
    }
    Err(format!("there are complaints\n{}", failures.join("\n")).into())
}

fn formatting(workspace: &Workspace) -> Result<()> {
    process::run(&mut workspace.cargo(&["fmt", "--all", "--check"]))
        .map_err(|_| "`cargo fmt --all` puts it right".into())
}

fn clippy(workspace: &Workspace) -> Result<()> {
    process::run(&mut workspace.cargo(&[
        "clippy",
        "--locked",
        "--workspace",
        "--exclude",
        "frontend",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}

fn clippy_for_the_browser(workspace: &Workspace) -> Result<()> {
    process::run(&mut workspace.cargo(&[
        "clippy",
        "--locked",
        "-p",
        "frontend",
        "--target",
        "wasm32-unknown-unknown",
        "--",
        "-D",
        "warnings",
    ]))
}

fn size_budget(workspace: &Workspace) -> Result<()> {
    site::build(workspace, Profile::Release)?;
    budget::check(&workspace.site())
}
