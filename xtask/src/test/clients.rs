//! Runs third-party clients of the API: generates them from its document, and uses them; introspects keys with OAuth 2.0
//! libraries; runs the guards of the documentation; and checks the document with linters. Each is a folder of
//! `end2end/clients` with a script `run.sh`.

use super::demo::Demo;
use crate::{Result, Workspace, build, process, setup};
use std::{env, ffi::OsString, fs, path::Path, process::Command, time::Instant};

/// In the order in which they run.
const CLIENTS: [&str; 14] = [
    "openapi-generator-go",
    "openapi-generator-java",
    "openapi-generator-python",
    "openapi-generator-typescript",
    "openapi-ts",
    "openapi-typescript",
    "openapi-python-client",
    "authlib",
    "openid-client",
    "oauth4webapi",
    "token-introspection",
    "fastapi",
    "express",
    "lint",
];

pub fn run(workspace: &Workspace) -> Result<()> {
    let tools = setup::CLIENT_TOOLS.install(workspace)?;
    let clients = workspace.end2end().join("clients");
    setup::node_packages(&clients)?;
    let demo = Demo::start("clients", build::server_of_tests(workspace)?)?;
    let revoked = demo.key("Revoked", "Full access")?;
    demo.latchkey(&["key", "revoke", &revoked.id])?;
    let document = demo.folder().join("openapi.json");
    fs::write(&document, demo.get("/api/openapi.json")?)?;
    let installed = env::var_os("PATH").unwrap_or_default();
    let own = [tools.clone(), clients.join("node_modules/.bin")];
    let path = env::join_paths(own.into_iter().chain(env::split_paths(&installed)))?;
    let environment: [(&str, OsString); 7] = [
        ("PATH", path),
        ("TOOLS", tools.into()),
        ("DOCUMENT", document.into()),
        ("LATCHKEY_URL", demo.url().into()),
        ("LATCHKEY_KEY", demo.key("Client", "Full access")?.secret.into()),
        ("LATCHKEY_VERIFIER_KEY", demo.key("Verifier", "Verifier")?.secret.into()),
        ("LATCHKEY_REVOKED_KEY", revoked.secret.into()),
    ];
    let failed: Vec<&str> = CLIENTS.into_iter().filter(|client| !succeeds(&environment, &clients, client)).collect();
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", ")).into()) }
}

/// Runs a client in a folder of its own, below that of its Node.js packages.
fn succeeds(environment: &[(&str, OsString)], clients: &Path, client: &str) -> bool {
    let begun = Instant::now();
    let outcome = run_one(environment, clients, client);
    match &outcome {
        Ok(()) => println!("{client}: passed in {} s", begun.elapsed().as_secs()),
        Err(error) => println!("{client}: FAILED: {error}"),
    }
    outcome.is_ok()
}

fn run_one(environment: &[(&str, OsString)], clients: &Path, client: &str) -> Result<()> {
    let folder = clients.join("generated").join(client);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    fs::copy(clients.join("tsconfig.json"), folder.join("tsconfig.json"))?;
    let source = clients.join(client);
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail"]).arg(source.join("run.sh")).current_dir(folder);
    process::run(command.envs(environment.iter().cloned()).env("CLIENT", source))
}
