use super::service::{Kind, Service};
use crate::{Result, process};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

pub struct Redis(Service);

impl Redis {
    pub fn start() -> Result<Self> {
        let program = program().ok_or("Redis is missing: there is no `redis-server`")?;
        Service::start(&Node { program }).map(Self)
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.0.port())
    }
}

pub fn program() -> Option<PathBuf> {
    process::find_program("redis-server").or_else(|| process::find_program("valkey-server"))
}

struct Node {
    program: PathBuf,
}

impl Kind for Node {
    const NAME: &'static str = "Redis";
    const PREFERRED_PORT: u16 = 63790;
    const SIGNAL: &'static str = "TERM";

    fn prepare(&self, _directory: &Path) -> Result<()> {
        Ok(())
    }

    fn words(&self, directory: &Path, port: u16) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec![self.program.clone().into()];
        let port = port.to_string();
        words.extend(
            ["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"].map(Into::into),
        );
        words.push(directory.into());
        words
    }

    fn is_ready(&self, directory: &Path) -> bool {
        fs::read_to_string(directory.join("log")).is_ok_and(|log| log.contains("Ready to accept connections"))
    }
}
