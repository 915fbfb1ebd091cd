//! A server with demo data, for tests that other programs make.

use crate::{
    Result,
    harness::{Program, http},
    process,
    scratch::Scratch,
};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A running server, gone when it is dropped.
pub struct Demo {
    server: Program,
    program: PathBuf,
    directory: Scratch,
}

pub struct NewKey {
    pub id: String,
    pub secret: String,
}

impl Demo {
    pub fn start(name: &str, program: PathBuf) -> Result<Self> {
        let directory = Scratch::new(name)?;
        let server = Program::demo(&program, directory.path())?;
        let demo = Self { server, program, directory };
        // The demo's own keys leave no room for many more.
        demo.latchkey(&["tenant", "set", "--slug", "northwind", "--key-limit", "50"])?;
        Ok(demo)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    pub fn folder(&self) -> &Path {
        self.directory.path()
    }

    pub fn get(&self, path: &str) -> Result<String> {
        Ok(http::get(self.server.address, path)?.body)
    }

    /// A key with all scopes.
    pub fn key(&self, name: &str, group: &str) -> Result<NewKey> {
        let words = ["key", "create", "--tenant", "northwind", "--name", name, "--group", group];
        let more = ["--scope", "read", "--scope", "write", "--rate-limit", "1000"];
        let made: Value = serde_json::from_str(&self.latchkey(&[&words[..], &more].concat())?)?;
        let text = |field: &str| made[field].as_str().map(str::to_owned).ok_or("a new key has no id or no secret");
        Ok(NewKey { id: text("id")?, secret: text("secret")? })
    }

    pub fn latchkey(&self, words: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        command.env("LATCHKEY_DATABASE_URL", format!("sqlite://{}/latchkey.db", self.directory.path().display()));
        process::read_output(command.args(words).arg("--json"))
    }
}
