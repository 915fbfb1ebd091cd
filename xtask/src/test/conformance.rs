//! Checks the API against its own description: Schemathesis reads the document of a running program and looks for
//! responses that deviate from it.

use crate::{Result, Workspace, build, harness::Program, process, scratch::Scratch, setup};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// All checks but two. Our own check replaces `positive_data_acceptance`: it allows the refusals that no schema can
/// express, each with its reason. `ignored_auth` adds an invalid credential to the valid one, which is rightly refused
/// as a conflict; the credential tests cover it.
const LEFT_OUT: &str = "positive_data_acceptance,ignored_auth";
const OWN_CHECK: &str = "xtask/src/test/stated_reasons.py";

/// A key makes a thousand calls a minute at most, and this keeps a run below that.
const EXAMPLES: &str = "20";

/// The same calls each time, so that a change of ours is what makes the difference.
const SEED: &str = "20261121";

pub fn check(workspace: &Workspace) -> Result<()> {
    let schemathesis = setup::SCHEMATHESIS.install(workspace)?.join("schemathesis");
    let demo = Demo::start(build::server_of_tests(workspace)?)?;
    let key = demo.key()?;
    process::run(
        Command::new(schemathesis)
            .args(["run", &format!("http://{}/api/openapi.json", demo.server.address)])
            .args(["--exclude-checks", LEFT_OUT, "--max-examples", EXAMPLES, "--seed", SEED, "--continue-on-failure"])
            .current_dir(demo.directory.path())
            .env("SCHEMATHESIS_HOOKS", workspace.root.join(OWN_CHECK))
            .arg("--header")
            .arg(format!("X-API-Key: {key}")),
    )
}

/// A program with the demo's data in it, gone when it is dropped.
struct Demo {
    server: Program,
    program: PathBuf,
    directory: Scratch,
}

impl Demo {
    fn start(program: PathBuf) -> Result<Self> {
        let directory = Scratch::new("conformance")?;
        let server = Program::demo(&program, directory.path())?;
        Ok(Self { server, program, directory })
    }

    fn key(&self) -> Result<String> {
        let words = ["key", "create", "--tenant", "northwind", "--name", "Conformance", "--group", "Full access"];
        let more = ["--scope", "read", "--scope", "write", "--rate-limit", "1000", "--json"];
        // The demo's own keys leave no room for many more.
        self.latchkey(&["tenant", "set", "--slug", "northwind", "--key-limit", "50", "--json"])?;
        let made: Value = serde_json::from_str(&self.latchkey(&[&words[..], &more].concat())?)?;
        Ok(made["secret"].as_str().ok_or("a new key has no secret")?.to_owned())
    }

    fn latchkey(&self, words: &[&str]) -> Result<String> {
        process::read_output(latchkey(&self.program, self.directory.path()).args(words))
    }
}

fn latchkey(program: &Path, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("LATCHKEY_DATABASE_URL", format!("sqlite://{}/latchkey.db", directory.display()));
    command
}
