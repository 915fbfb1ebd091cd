//! Finds out which of the things that some tests require are there.

use std::{env, path::Path};

fn main() {
    for (cfg, variable) in [("postgres", "LATCHKEY_TEST_POSTGRES_URL"), ("programs", "LATCHKEY_TEST_PROGRAMS")] {
        println!("cargo::rerun-if-env-changed={variable}");
        declare(cfg, env::var_os(variable).is_some());
    }
    let manifest = "../../target/site/manifest.json";
    println!("cargo::rerun-if-changed={manifest}");
    declare("site", Path::new(manifest).exists());
}

fn declare(cfg: &str, is_set: bool) {
    println!("cargo::rustc-check-cfg=cfg({cfg})");
    if is_set {
        println!("cargo::rustc-cfg={cfg}");
    }
}
