use crate::{Result, process, profile::Profile};
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// The paths of this checkout.
pub struct Workspace {
    pub root: PathBuf,
    /// Cargo's own target directory, which `CARGO_TARGET_DIR` may have moved.
    pub target: PathBuf,
}

impl Workspace {
    pub fn find() -> Result<Self> {
        let root = root()?;
        let metadata = process::read_output(
            Command::new("cargo").args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(&root),
        )?;
        let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
        let target = metadata["target_directory"].as_str().ok_or("`cargo metadata` names no target directory")?.into();
        Ok(Self { root, target })
    }

    /// Removes the variables that cargo sets for this package: some build scripts depend on them, so a manual build in
    /// between would recompile half of all crates.
    pub fn cargo(&self, words: &[&str]) -> Command {
        let mut cargo = self.cargo_like(Path::new("cargo"));
        cargo.args(words);
        cargo
    }

    /// A program that calls cargo, with the same environment.
    pub fn cargo_like(&self, program: &Path) -> Command {
        let mut cargo = Command::new(program);
        cargo.current_dir(&self.root);
        let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        for name in names.filter(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            cargo.env_remove(name);
        }
        cargo
    }

    /// Any other program, started in the root so that `rust-toolchain.toml` counts for it too.
    pub fn command(&self, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(words).current_dir(&self.root);
        command
    }

    /// The server embeds the site from here, so this stays put when the target directory moves.
    pub fn site(&self) -> PathBuf {
        self.root.join("target/site")
    }

    pub fn end2end(&self) -> PathBuf {
        self.root.join("end2end")
    }

    pub fn program(&self, profile: Profile) -> PathBuf {
        self.target.join(profile.native_directory()).join("latchkey")
    }
}

/// The variable as it is now comes first: a checkout may have been moved since this was compiled.
fn root() -> Result<PathBuf> {
    let here = env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&here).parent().ok_or("xtask is not in a workspace")?;
    Ok(root.to_path_buf())
}
