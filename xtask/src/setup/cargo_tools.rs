use crate::{Result, Workspace, process};
use std::{env, fs, path::PathBuf, process::Command};

/// A tool of cargo's. It is compiled once for each version, into the user's cache directory, and shared by all checkouts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum CargoTool {
    Deny,
    Fuzz,
    Nextest,
}

impl CargoTool {
    fn package(self) -> &'static str {
        match self {
            Self::Deny => "cargo-deny",
            Self::Fuzz => "cargo-fuzz",
            Self::Nextest => "cargo-nextest",
        }
    }

    fn version(self) -> &'static str {
        match self {
            Self::Deny => "0.20.2",
            Self::Fuzz => "0.13.2",
            Self::Nextest => "0.9.151",
        }
    }

    /// The directory that it is installed in.
    fn root(self) -> Result<PathBuf> {
        Ok(cache_directory()?.join("latchkey").join(format!("{}-{}", self.package(), self.version())))
    }

    fn program(self) -> Result<PathBuf> {
        Ok(self.root()?.join("bin").join(self.package()))
    }

    /// Compiles the tool unless it is there.
    pub fn install(self, workspace: &Workspace) -> Result<()> {
        if self.program()?.is_file() {
            return Ok(());
        }
        let root = self.root()?;
        let build = root.join("build");
        let mut cargo =
            workspace.cargo(&["install", "--locked", "--quiet", self.package(), "--version", self.version()]);
        cargo.arg("--root").arg(&root).arg("--target-dir").arg(&build).env_remove("CARGO_TARGET_DIR");
        process::run(&mut cargo)?;
        fs::remove_dir_all(build)?;
        Ok(())
    }

    /// The tool, called as `cargo <subcommand> …` would call it.
    pub fn command(self, workspace: &Workspace, arguments: &[&str]) -> Result<Command> {
        let mut command = workspace.cargo_like(&self.program()?);
        let subcommand = self.package().trim_start_matches("cargo-");
        command.arg(subcommand).args(arguments);
        Ok(command)
    }
}

fn cache_directory() -> Result<PathBuf> {
    let named = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let own = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    named.or_else(own).ok_or_else(|| "HOME is not set, so there is no directory to install tools in".into())
}
