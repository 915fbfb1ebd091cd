//! Modules of a crate form no cycle: those beside each other can be read one after the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    files::{TextFile, report, text_files},
    words::without_tests,
};
use crate::{Result, Workspace};

pub fn check(workspace: &Workspace) -> Result<()> {
    let mut crates: BTreeMap<PathBuf, Vec<Module>> = BTreeMap::new();
    for file in text_files(workspace, &["rs"])? {
        if let Some((source_root, module)) = Module::parse(&file) {
            crates.entry(source_root).or_default().push(module);
        }
    }
    let complaints: Vec<String> = crates.iter().flat_map(|(root, modules)| cycles(root, modules)).collect();
    report(&complaints)
}

struct Module {
    /// Its path below the crate; empty for the root.
    path: Vec<String>,
    /// The paths below the crate that it names.
    imports: BTreeSet<Vec<String>>,
}

impl Module {
    /// Returns the crate's `src` and the module that a file defines; none for a file outside of `src`.
    fn parse(file: &TextFile) -> Option<(PathBuf, Self)> {
        let parts: Vec<&str> = file.path.iter().filter_map(|part| part.to_str()).collect();
        let source = parts.iter().position(|part| *part == "src")?;
        let mut path: Vec<String> =
            parts[source + 1..].iter().map(|part| part.trim_end_matches(".rs").to_owned()).collect();
        if path.len() == 1 && matches!(path[0].as_str(), "lib" | "main") {
            path.clear();
        }
        let imports = imports(&path, without_tests(&file.text));
        Some((parts[..=source].iter().collect(), Self { path, imports }))
    }
}

/// An edge between two modules beside each other, with the file and the path that make it.
type Edges<'a> = BTreeMap<&'a str, BTreeMap<&'a str, String>>;

fn cycles(root: &Path, modules: &[Module]) -> Vec<String> {
    let known: BTreeSet<&[String]> = modules.iter().map(|module| module.path.as_slice()).collect();
    let mut levels: BTreeMap<&[String], Edges<'_>> = BTreeMap::new();
    for module in modules {
        for import in &module.imports {
            let Some(target) = (1..=import.len()).rev().find_map(|length| known.get(&import[..length])) else {
                continue;
            };
            let common = module.path.iter().zip(*target).take_while(|(one, other)| one == other).count();
            if let (Some(from), Some(to)) = (module.path.get(common), target.get(common)) {
                let origin = format!("{}/{}.rs names {}", root.display(), module.path.join("/"), import.join("::"));
                let edges = levels.entry(&module.path[..common]).or_default();
                edges.entry(from).or_default().entry(to).or_insert(origin);
            }
        }
    }
    levels.values().filter_map(|edges| cycle(edges)).collect()
}

/// Describes a cycle, with the edge that closes it.
fn cycle(edges: &Edges<'_>) -> Option<String> {
    let mut done = BTreeSet::new();
    edges.keys().find_map(|start| visit(edges, start, &mut Vec::new(), &mut done))
}

fn visit<'a>(edges: &Edges<'a>, at: &'a str, path: &mut Vec<&'a str>, done: &mut BTreeSet<&'a str>) -> Option<String> {
    if let Some(first) = path.iter().position(|earlier| *earlier == at) {
        let origin = &edges[path[path.len() - 1]][at];
        return Some(format!("modules form a cycle: {} -> {at}; {origin}", path[first..].join(" -> ")));
    }
    if !done.insert(at) {
        return None;
    }
    path.push(at);
    let targets = edges.get(at).into_iter().flat_map(BTreeMap::keys);
    let found = targets.copied().find_map(|next| visit(edges, next, path, done));
    path.pop();
    found
}

/// Returns the paths below the crate that a module's source names with `crate`, `super` or `self`.
fn imports(module: &[String], source: &str) -> BTreeSet<Vec<String>> {
    let tokens = tokens(source);
    let mut found = BTreeSet::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_start = matches!(tokens[at], "crate" | "super" | "self") && tokens.get(at + 1) == Some(&"::");
        if is_start && (at == 0 || tokens[at - 1] != "::") {
            path_tree(&tokens, &mut at, module, &mut found);
        } else {
            at += 1;
        }
    }
    found
}

/// Reads a path, or a tree of paths as `use` has it, and resolves each of them.
fn path_tree(tokens: &[&str], at: &mut usize, base: &[String], found: &mut BTreeSet<Vec<String>>) {
    let mut path = base.to_vec();
    loop {
        match tokens.get(*at) {
            Some(&"{") => {
                *at += 1;
                while tokens.get(*at).is_some_and(|token| *token != "}") {
                    if is_word(tokens[*at]) || tokens[*at] == "{" {
                        path_tree(tokens, at, &path, found);
                    } else {
                        *at += 1;
                    }
                }
                *at += 1;
                return;
            }
            Some(&"crate") => path.clear(),
            Some(&"super") => drop(path.pop()),
            Some(&"self") => {}
            Some(word) if is_word(word) => path.push((*word).to_owned()),
            _ => break,
        }
        *at += 1;
        if tokens.get(*at) != Some(&"::") {
            break;
        }
        *at += 1;
    }
    found.insert(path);
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Splits Rust source into words, `::` and single characters, without comments and literals.
fn tokens(source: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            _ if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => string_length(rest),
            'r' if rest.starts_with("r\"") || rest.starts_with("r#\"") => raw_string_length(rest),
            '\'' => char_length(rest),
            _ if rest.starts_with("::") => 2,
            _ if is_word(rest) => rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        if is_word(token) && !token.contains('"') || matches!(token, "::" | "{" | "}" | ",") {
            tokens.push(token);
        }
        rest = after;
    }
    tokens
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn raw_string_length(text: &str) -> usize {
    let hashes = text[1..].bytes().take_while(|byte| *byte == b'#').count();
    let end = format!("\"{}", "#".repeat(hashes));
    let begin = hashes + 2;
    text[begin..].find(&end).map_or(text.len(), |at| begin + at + end.len())
}

/// The length of a character literal, or of the quote of a lifetime.
fn char_length(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => text[2..].find('\'').map_or(1, |end| end + 3),
        Some(_) => chars.next().filter(|(_, c)| *c == '\'').map_or(1, |(at, _)| at + 1),
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(files: &[(&str, &str)]) -> Vec<String> {
        let parse = |(path, text): &(&str, &str)| {
            Module::parse(&TextFile { path: path.into(), text: (*text).to_owned() }).unwrap()
        };
        let modules: Vec<Module> = files.iter().map(|file| parse(file).1).collect();
        cycles(Path::new("a/src"), &modules)
    }

    #[test]
    fn cycle_is_reported_with_the_edge_that_closes_it() {
        let files = [
            ("a/src/lib.rs", "mod keys; mod people; use keys::Key;"),
            ("a/src/keys.rs", "use crate::{people::{self, Person}, Root};"),
            ("a/src/people.rs", "mod role;"),
            ("a/src/people/role.rs", "fn load() { super::super::keys::load_key() }"),
        ];
        let expected = "modules form a cycle: keys -> people -> keys; a/src/people/role.rs names keys::load_key";
        assert_eq!(complaints(&files), [expected]);
    }

    #[test]
    fn modules_in_one_direction_pass() {
        let files = [
            ("a/src/lib.rs", ""),
            ("a/src/keys.rs", "use crate::people::Person; // crate::tests"),
            (
                "a/src/people.rs",
                "const TEXT: &str = \"crate::keys\";\n#[cfg(test)]\nmod tests { use crate::keys::Key; }",
            ),
        ];
        assert_eq!(complaints(&files), [""; 0]);
    }

    #[test]
    fn literals_and_comments_are_no_paths() {
        let source = r##"'a' '\'' "crate::a" r#"crate::b"# /* crate::c */ fn f<'a>(x: &'a crate::d::D) {}"##;
        assert_eq!(imports(&[], source), [vec!["d".to_owned(), "D".to_owned()]].into());
    }
}
