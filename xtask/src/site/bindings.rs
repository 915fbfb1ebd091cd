use super::fingerprint::fingerprint;
use crate::{Result, profile::Profile};
use std::path::Path;
use wasm_bindgen_cli_support::Bindgen;

/// Raise this when the same WebAssembly should come out differently: it is part of the name.
const RECIPE: &[u8] = b"1";

pub fn name(wasm: &[u8], profile: Profile) -> String {
    let profile = profile.browser_profile().as_bytes();
    format!("latchkey-{}", fingerprint(&[RECIPE, profile, wasm]))
}

/// Makes the JavaScript that loads the WebAssembly, and the WebAssembly that it loads.
pub fn write(wasm: &[u8], profile: Profile, name: &str, directory: &Path) -> Result<()> {
    let release = profile == Profile::Release;
    let mut bindgen = Bindgen::new();
    bindgen
        .web(true)
        .and_then(|bindgen| {
            bindgen
                .typescript(false)
                .remove_name_section(release)
                .remove_producers_section(release)
                .input_bytes(name, wasm.to_vec())
                .generate(directory)
        })
        .map_err(|error| format!("the browser bindings could not be made: {error:#}").into())
}
