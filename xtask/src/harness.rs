//! The programs that bench and soak measure: the released one, with databases full of keys.

pub mod http;
mod program;
pub mod secret_key;

use crate::{Result, Workspace, build, process, profile::Profile, setup, site};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

pub use http::{Answer, send};
pub use program::Program;

/// The default of `--memory`, in MiB.
pub const DEFAULT_MEMORY_MIB: u32 = 256;

pub struct Programs {
    pub latchkey: PathBuf,
    /// The program that generates the load.
    pub bench: PathBuf,
}

impl Programs {
    /// Each by itself: what the second one needs is to change nothing in the first.
    pub fn build(workspace: &Workspace) -> Result<Self> {
        setup::wasm_target(workspace)?;
        site::build(workspace, Profile::Release)?;
        let latchkey = build::server(workspace, Profile::Release)?;
        process::run(&mut workspace.cargo(&["build", "--locked", "--release", "-p", "bench"]))?;
        Ok(Self { bench: latchkey.with_file_name("bench"), latchkey })
    }

    /// The same as the tests have them.
    pub fn of_tests(workspace: &Workspace) -> Result<Self> {
        let latchkey = build::server_of_tests(workspace)?;
        Ok(Self { bench: latchkey.with_file_name("bench"), latchkey })
    }

    /// Fills a database with tenants and keys, and returns the file with the secrets.
    pub fn fill(&self, directory: &Path, database_url: &str, name: &str, keys: u64) -> Result<PathBuf> {
        let secrets = directory.join(format!("{name}.secrets"));
        let mut command = Command::new(&self.bench);
        command.args(["fill", "--database-url", database_url, "--keys", &keys.to_string(), "--secrets"]).arg(&secrets);
        secret_key::name(&mut command, database_url)?;
        process::run(&mut command)?;
        Ok(secrets)
    }
}
