//! Checks the API against its own description: Schemathesis reads the document of a running program and looks for
//! responses that deviate from it.

use super::demo::Demo;
use crate::{Result, Workspace, build, process, setup};
use std::process::Command;

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
    let demo = Demo::start("conformance", build::server_of_tests(workspace)?)?;
    let key = demo.key("Conformance", "Full access")?.secret;
    process::run(
        Command::new(schemathesis)
            .args(["run", &format!("{}/api/openapi.json", demo.url())])
            .args(["--exclude-checks", LEFT_OUT, "--max-examples", EXAMPLES, "--seed", SEED, "--continue-on-failure"])
            .current_dir(demo.folder())
            .env("SCHEMATHESIS_HOOKS", workspace.root.join(OWN_CHECK))
            .arg("--header")
            .arg(format!("X-API-Key: {key}")),
    )
}
