//! Words and names that a reader would have to translate, or could mistake for another.

use std::{collections::BTreeMap, path::Path};

use super::files::{TextFile, report, text_files};
use crate::{Result, Workspace};

const FORBIDDEN_WORDS: &[&str] =
    &["whoever", "whom", "somebody", "nobody", "anybody", "everybody", "meanwhile", "mend", "mends", "mended"];

/// A constant says its role and unit: `MAX_BODY_BYTES`.
const FORBIDDEN_CONSTANT_WORDS: &[&str] = &["MOST", "LONGEST", "LEAST", "USUAL"];

/// Names that cannot be searched for.
const BARE_FUNCTION_NAMES: &[&str] = &["of", "read", "find", "take", "tell"];

/// This list, and what is about to be rebuilt.
const EXEMPT: &[&str] = &["xtask/src/lint/words.rs", "app", "style"];

pub fn check(workspace: &Workspace) -> Result<()> {
    let files = text_files(workspace, &["rs", "md", "ts", "css"])?;
    let mut complaints: Vec<String> = files.iter().flat_map(forbidden_words).collect();
    complaints.extend(files.iter().filter(|file| is_rust(&file.path)).flat_map(bad_names));
    complaints.extend(duplicate_constants(&files));
    report(&complaints)
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("xtask/src/lint/words.rs")
}

fn is_exempt(path: &Path) -> bool {
    EXEMPT.iter().any(|exempt| path.starts_with(exempt))
}

fn forbidden_words(file: &TextFile) -> Vec<String> {
    if is_exempt(&file.path) {
        return Vec::new();
    }
    let mut complaints = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        // `_` separates the words of an identifier.
        for word in line.split(|c: char| !c.is_alphanumeric()) {
            if FORBIDDEN_WORDS.contains(&word.to_lowercase().as_str()) {
                complaints.push(format!("{}:{number} says “{word}”: use a plainer word", file.path.display()));
            }
        }
    }
    complaints
}

fn bad_names(file: &TextFile) -> Vec<String> {
    let mut complaints = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        let place = format!("{}:{number}", file.path.display());
        if let Some(name) = constant_name(line.trim_start())
            && name.split('_').any(|word| FORBIDDEN_CONSTANT_WORDS.contains(&word))
        {
            complaints.push(format!("{place} defines {name}: name its role and unit, such as MAX_BODY_BYTES"));
        }
        if let Some(name) = function_name(line).filter(|name| BARE_FUNCTION_NAMES.contains(name)) {
            complaints.push(format!("{place} defines {name}(): name what it does to what, such as load_key()"));
        }
    }
    complaints
}

/// Complains about constants of the product with one name, so that a search finds one meaning.
fn duplicate_constants(files: &[TextFile]) -> Vec<String> {
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for file in files.iter().filter(|file| is_rust(&file.path) && !is_exempt(&file.path) && is_source(&file.path)) {
        for (number, line) in (1..).zip(without_tests(&file.text).lines()) {
            if let Some(name) = constant_name(line).filter(|name| *name != "_") {
                places.entry(name).or_default().push(format!("{}:{number}", file.path.display()));
            }
        }
    }
    let duplicates = places.into_iter().filter(|(_, places)| places.len() > 1);
    duplicates.map(|(name, places)| format!("{} define {name}: give each its own name", places.join(", "))).collect()
}

fn is_source(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "src")
}

/// Returns the source without its unit tests, which come last.
pub fn without_tests(source: &str) -> &str {
    source.split_once("#[cfg(test)]\nmod tests").map_or(source, |(code, _)| code)
}

/// Returns the name of the free constant that a line defines.
fn constant_name(line: &str) -> Option<&str> {
    let line = without_visibility(line);
    let rest = line.strip_prefix("const ").or_else(|| line.strip_prefix("static "))?;
    let (name, _) = rest.split_once(':')?;
    name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_').then_some(name)
}

/// Returns the name of the free function that a line defines.
fn function_name(line: &str) -> Option<&str> {
    let mut rest = without_visibility(line);
    while let Some(shorter) = ["async ", "const ", "unsafe "].iter().find_map(|word| rest.strip_prefix(word)) {
        rest = shorter;
    }
    let rest = rest.strip_prefix("fn ")?;
    Some(&rest[..rest.find(['(', '<'])?])
}

fn without_visibility(line: &str) -> &str {
    let Some(rest) = line.strip_prefix("pub") else { return line };
    let rest = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(rest, |(_, rest)| rest);
    rest.trim_start()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> TextFile {
        TextFile { path: path.into(), text: text.to_owned() }
    }

    #[test]
    fn forbidden_words_are_found_in_prose_and_identifiers() {
        let found = |text| forbidden_words(&file("server/src/a.rs", text)).len();
        assert_eq!(found("/// Whoever asks\nfn nobody_waits() {}\n// to mend, by whom"), 4);
        assert_eq!(found("recommend, amendment, whomsoever"), 0);
        assert_eq!(forbidden_words(&file("app/src/a.rs", "nobody")).len(), 0);
        assert_eq!(
            forbidden_words(&file("README.md", "one\nnobody")),
            ["README.md:2 says “nobody”: use a plainer word"]
        );
    }

    #[test]
    fn constants_and_functions_have_telling_names() {
        let bad = |text| bad_names(&file("server/src/a.rs", text)).len();
        assert_eq!(bad("const MOST_KEYS: u8 = 1;\n    pub(super) static LONGEST: u8 = 1;"), 2);
        assert_eq!(bad("pub(crate) async fn find<T>(x: T) {}\nconst fn of() {}\nfn tell() {}"), 3);
        assert_eq!(bad("const MAX_KEYS: u8 = 1;\nfn find_key() {}\n    fn find(&self) {}\nconst ALMOST: u8 = 1;"), 0);
    }

    #[test]
    fn constants_of_one_name_are_reported_with_both_places() {
        let files = [
            file("a/src/lib.rs", "const LIMIT: u8 = 1;\n#[cfg(test)]\nmod tests {\nconst OTHER: u8 = 1;"),
            file("b/src/lib.rs", "pub const LIMIT: u8 = 2;\nconst OTHER: u8 = 1;"),
            file("b/tests/all.rs", "const LIMIT: u8 = 3;"),
        ];
        assert_eq!(
            duplicate_constants(&files),
            ["a/src/lib.rs:1, b/src/lib.rs:1 define LIMIT: give each its own name"]
        );
    }
}
