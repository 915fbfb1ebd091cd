//! The browser's half: WebAssembly, style and static files, compressed and named by content, in `target/site`.

mod bindings;
mod compress;
mod fingerprint;
mod style;
mod tree;

use crate::{Result, Workspace, process, profile::Profile};
pub use tree::files;

use fingerprint::fingerprint;
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Assembles the site beside the existing one and replaces it only if something differs: touching this directory
/// recompiles the server.
pub fn build(workspace: &Workspace, profile: Profile) -> Result<()> {
    let wasm = compile(workspace, profile)?;
    let site = workspace.site();
    let fresh = tree::empty(&beside(&site, "new"))?;
    let outcome =
        assemble(workspace, profile, &wasm, &site, &fresh).and_then(|()| keep_or_swap(profile, &site, &fresh));
    if outcome.is_err() {
        let _ = fs::remove_dir_all(&fresh);
    }
    outcome
}

fn compile(workspace: &Workspace, profile: Profile) -> Result<Vec<u8>> {
    process::run(&mut workspace.cargo(&[
        "build",
        "--locked",
        "-p",
        "frontend",
        "--target",
        "wasm32-unknown-unknown",
        "--profile",
        profile.browser_profile(),
    ]))?;
    let path = workspace.target.join("wasm32-unknown-unknown").join(profile.browser_directory()).join("frontend.wasm");
    tree::read_file(&path)
}

fn assemble(workspace: &Workspace, profile: Profile, wasm: &[u8], site: &Path, fresh: &Path) -> Result<()> {
    let name = bindings::name(wasm, profile);
    let package = fresh.join("pkg");
    if manifest_names(site, &name) {
        tree::copy(&site.join("pkg"), &package)?;
    } else {
        bindings::write(wasm, profile, &name, &package)?;
    }
    tree::copy(&workspace.root.join("public"), fresh)?;
    let style = style::read_stylesheets(&workspace.root.join("style"))?;
    let stylesheet = format!("latchkey-{}.css", fingerprint(&[style.as_bytes()]));
    fs::write(fresh.join(&stylesheet), style)?;
    let manifest = json!({ "output_name": name, "stylesheet": stylesheet });
    fs::write(fresh.join("manifest.json"), manifest.to_string())?;
    Ok(())
}

/// The name contains the hash of the content, so an existing package of the same name is reused.
fn manifest_names(site: &Path, name: &str) -> bool {
    fs::read_to_string(site.join("manifest.json"))
        .ok()
        .and_then(|manifest| serde_json::from_str::<serde_json::Value>(&manifest).ok())
        .is_some_and(|manifest| manifest["output_name"] == name)
}

fn keep_or_swap(profile: Profile, site: &Path, fresh: &Path) -> Result<()> {
    if compress::same_originals(site, fresh)? {
        fs::remove_dir_all(fresh)?;
        return Ok(());
    }
    compress::everything(fresh, profile)?;
    let old = tree::empty(&beside(site, "old"))?;
    if site.exists() {
        fs::rename(site, &old)?;
    }
    fs::rename(fresh, site)?;
    let _ = fs::remove_dir_all(old);
    Ok(())
}

fn beside(site: &Path, word: &str) -> PathBuf {
    site.with_file_name(format!("site-{word}-{}", std::process::id()))
}
