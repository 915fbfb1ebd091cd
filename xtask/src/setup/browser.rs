use crate::{Result, Workspace, process};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

/// The shell comes first: the same browser without windows to draw, in two thirds of the time.
const BROWSER_NAMES: &[&str] =
    &["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The browser of this machine, or the one that the environment names.
pub fn installed() -> Option<PathBuf> {
    env::var_os("LATCHKEY_CHROMIUM")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .or_else(|| BROWSER_NAMES.iter().find_map(|name| process::find_program(name)))
}

/// The browser to test in. None stands for Playwright's own, which is the last resort.
pub fn chromium(workspace: &Workspace) -> Result<Option<PathBuf>> {
    if let Some(path) = installed() {
        return Ok(Some(path));
    }
    let mut playwright = Command::new("npx");
    playwright.args(["playwright", "install", "chromium"]).current_dir(workspace.end2end());
    process::run(&mut playwright).map_err(|_| {
        "There is no Chromium, and neither apt-get nor Playwright could bring one: install it, or name it in LATCHKEY_CHROMIUM"
    })?;
    Ok(None)
}

/// The oldest Node.js that Playwright supports.
const MIN_NODE_MAJOR: u32 = 20;

/// Checks the version of Node.js, which the user installs.
pub fn check_node() -> Result<()> {
    let advice =
        format!("Install Node.js {MIN_NODE_MAJOR} or newer with npm and run this again: the browser tests need it");
    let version = process::read_output(Command::new("node").arg("--version")).map_err(|_| advice.as_str())?;
    let is_supported = node_major(&version).is_some_and(|major| major >= MIN_NODE_MAJOR);
    if is_supported && process::find_program("npm").is_some() {
        return Ok(());
    }
    Err(format!("{advice}. Found: {}", version.trim()).into())
}

fn node_major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Playwright itself.
pub fn end2end(workspace: &Workspace) -> Result<()> {
    node_packages(&workspace.end2end())
}

/// Installs the packages of a folder, as its `package-lock.json` has them.
pub fn node_packages(directory: &Path) -> Result<()> {
    let installed = modified(directory.join("node_modules/.package-lock.json"));
    let lock = directory.join("package-lock.json");
    let wanted = modified(lock.clone()).ok_or_else(|| format!("{} is missing", lock.display()))?;
    if installed.is_some_and(|installed| installed >= wanted) {
        return Ok(());
    }
    check_node()?;
    process::run(
        Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(directory)
            // The tests run in the Chromium of this machine.
            .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"),
    )
}

fn modified(path: PathBuf) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_version_of_node_is_parsed() {
        assert_eq!(node_major("v20.20.2\n"), Some(20));
        assert_eq!(node_major("v18.20.4"), Some(18));
        assert_eq!(node_major("node: not found"), None);
    }
}
