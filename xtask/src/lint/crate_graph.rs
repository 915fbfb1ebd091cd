//! The allowed dependencies between our crates. Tests may use any.

use crate::{Result, Workspace, process};
use serde_json::Value;

struct Edge<'a> {
    from: &'a str,
    to: &'a str,
    optional: bool,
}

pub fn check(workspace: &Workspace) -> Result<()> {
    let metadata =
        process::read_output(&mut workspace.cargo(&["metadata", "--format-version", "1", "--locked", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let complaints: Vec<String> = crate_graph(&metadata).iter().filter_map(complaint).collect();
    if complaints.is_empty() {
        return Ok(());
    }
    Err(complaints.join("\n").into())
}

/// Without `--no-deps`, the packages would include third-party ones. A member is listed as one.
fn crate_graph(metadata: &Value) -> Vec<Edge<'_>> {
    let packages = list(&metadata["packages"]);
    let members: Vec<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    packages
        .iter()
        .flat_map(|package| {
            let from = package["name"].as_str().unwrap_or_default();
            list(&package["dependencies"])
                .iter()
                .filter(|dependency| dependency["kind"] != "dev" && !dependency["path"].is_null())
                .filter_map(move |dependency| {
                    Some(Edge { from, to: dependency["name"].as_str()?, optional: dependency["optional"] == true })
                })
        })
        .filter(|edge| members.contains(&edge.to))
        .collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn allowed(from: &str) -> &'static [&'static str] {
    match from {
        "frontend" => &["app"],
        "app" => &["domain", "http-input", "keyring"],
        "server" => &["app", "booking", "demo", "domain", "http-input", "keyring", "migrations"],
        "demo" => &["booking", "domain", "keyring"],
        "bench" => &["domain", "keyring", "latchkey-client", "migrations"],
        "parser-checks" => &["domain", "http-input", "verify"],
        "test-support" => &["keyring", "test-requirements"],
        "keyring" => &["domain", "sql", "store", "verify"],
        "store" | "booking" => &["domain", "sql"],
        "verify" | "http-input" => &["domain"],
        _ => &[],
    }
}

fn complaint(edge: &Edge) -> Option<String> {
    let Edge { from, to, optional } = edge;
    if !allowed(from).contains(to) {
        return Some(match allowed(from) {
            [] => format!("`{from}` depends on `{to}`, but may depend on none of our crates"),
            names => format!("`{from}` depends on `{to}`, but may depend on {} alone", names.join(", ")),
        });
    }
    (*from == "app" && *to == "keyring" && !optional)
        .then(|| "`app` must depend on `keyring` optionally: the browser's half does without".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn complaints(from: &str, to: &str, kind: &Value, optional: bool) -> Vec<String> {
        let metadata = json!({ "packages": [
            { "name": from, "dependencies": [
                { "name": to, "kind": kind, "path": "somewhere", "optional": optional },
                { "name": "serde", "kind": null, "optional": false },
            ] },
            { "name": to, "dependencies": [] },
        ] });
        crate_graph(&metadata).iter().filter_map(complaint).collect()
    }

    #[test]
    fn designed_dependencies_pass() {
        for (from, to) in [
            ("frontend", "app"),
            ("app", "domain"),
            ("server", "app"),
            ("server", "domain"),
            ("server", "keyring"),
            ("server", "booking"),
            ("server", "migrations"),
            ("keyring", "domain"),
            ("booking", "domain"),
            ("keyring", "sql"),
            ("keyring", "store"),
            ("keyring", "verify"),
            ("store", "sql"),
            ("verify", "domain"),
            ("booking", "sql"),
        ] {
            assert!(complaints(from, to, &Value::Null, false).is_empty(), "{from} {to}");
        }
    }

    #[test]
    fn other_dependencies_are_reported() {
        for (from, to) in [
            ("domain", "keyring"),
            ("booking", "keyring"),
            ("store", "verify"),
            ("verify", "store"),
            ("verify", "sql"),
            ("server", "store"),
            ("keyring", "migrations"),
            ("frontend", "domain"),
            ("xtask", "domain"),
            ("latchkey-client", "domain"),
            ("server", "latchkey-client"),
            ("sql", "domain"),
            ("newcomer", "domain"),
        ] {
            let complaints = complaints(from, to, &Value::Null, false);
            assert!(complaints[0].contains(&format!("`{from}` depends on `{to}`")), "{complaints:?}");
        }
    }

    #[test]
    fn console_depends_on_the_engine_optionally() {
        assert!(complaints("app", "keyring", &Value::Null, true).is_empty());
        assert_eq!(complaints("app", "keyring", &Value::Null, false).len(), 1);
    }

    #[test]
    fn build_dependencies_count_and_dev_dependencies_do_not() {
        assert_eq!(complaints("domain", "xtask", &json!("build"), false).len(), 1);
        assert!(complaints("keyring", "migrations", &json!("dev"), false).is_empty());
        assert!(complaints("server", "latchkey-client", &json!("dev"), false).is_empty());
    }
}
