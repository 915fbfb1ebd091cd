//! The crates that must not be in the browser's dependency tree.

use crate::{Result, Workspace, process};

const FORBIDDEN_DEPENDENCIES: &[(&str, &[&str])] = &[
    ("frontend", &["sea-orm", "sqlx", "sqlx-core", "tokio", "axum", "chrono-tz"]),
    ("domain", &["rand", "tokio", "getrandom"]),
];

pub fn check(workspace: &Workspace) -> Result<()> {
    let mut complaints = Vec::new();
    for (package, forbidden) in FORBIDDEN_DEPENDENCIES {
        let tree = tree(workspace, package)?;
        complaints.extend(found(&tree, forbidden).iter().map(|name| {
            format!(
                "`{package}` brings `{name}` to the browser: `cargo tree -p {package} --target wasm32-unknown-unknown -e normal -i {name}` shows how"
            )
        }));
    }
    if complaints.is_empty() {
        return Ok(());
    }
    Err(complaints.join("\n").into())
}

fn tree(workspace: &Workspace, package: &str) -> Result<String> {
    process::read_output(&mut workspace.cargo(&[
        "tree",
        "--locked",
        "-p",
        package,
        "--target",
        "wasm32-unknown-unknown",
        "-e",
        "normal",
        "--prefix",
        "none",
    ]))
}

fn found<'a>(tree: &str, forbidden: &[&'a str]) -> Vec<&'a str> {
    let names: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    forbidden.iter().copied().filter(|name| names.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::found;

    #[test]
    fn whole_names_count() {
        let tree = "domain v0.1.0 (/somewhere/domain)\nrand_core v0.9.0\ntokio v1.54.0 (*)\n";
        assert_eq!(found(tree, &["rand", "tokio"]), ["tokio"]);
    }
}
