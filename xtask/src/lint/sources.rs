//! Words that are forbidden everywhere, or outside certain files. The rules themselves are exempt.

use std::path::Path;

use super::files::{report, text_files};
use crate::{Result, Workspace};

const SQL: &[&str] = &["sea_orm", "sqlx", "sea_query"];
/// The files and directories that may contain SQL.
const STORES: &[&str] = &[
    "crates/keyring/tests",
    "crates/store",
    "crates/booking/src/store.rs",
    "crates/booking/src/store",
    "crates/booking/tests",
    "crates/test-support",
    "server/tests/nodes",
    "bench/src/fill.rs",
    "crates/sql",
    "migrations",
];
const UNFINISHED: &[&str] = &["todo!", "unimplemented!", "dbg!", "#[ignore"];
/// The rules themselves, and the macro that ignores tests whose database is missing.
const EXEMPT: [&str; 2] = ["xtask/src/lint", "crates/test-requirements"];

pub fn check(workspace: &Workspace) -> Result<()> {
    let files = text_files(workspace, &["rs"])?;
    let complaints: Vec<String> = files.iter().flat_map(|file| complaints_about(&file.path, &file.text)).collect();
    report(&complaints)
}

fn complaints_about(name: &Path, source: &str) -> Vec<String> {
    if EXEMPT.iter().any(|exempt| name.starts_with(exempt)) {
        return Vec::new();
    }
    let in_store = STORES.iter().any(|store| name.starts_with(store));
    let mut complaints = Vec::new();
    for (number, line) in (1..).zip(source.lines()) {
        let place = format!("{}:{number}", name.display());
        let sql = SQL.iter().filter(|word| !in_store && holds(line, word));
        complaints
            .extend(sql.map(|word| format!("{place} names `{word}`, which only the stores and the migrations may")));
        let unfinished = UNFINISHED.iter().filter(|word| holds(line, word));
        complaints.extend(unfinished.map(|word| format!("{place} holds `{word}`: finish it or take it out")));
    }
    complaints
}

/// Returns whether the line contains the word as a whole word.
fn holds(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let whole_start = !(joins(before) && joins(word.chars().next()));
        let whole_end = !(joins(after) && joins(word.chars().next_back()));
        whole_start && whole_end
    })
}

fn joins(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(name: &str, source: &str) -> usize {
        complaints_about(Path::new(name), source).len()
    }

    #[test]
    fn only_stores_and_migrations_may_name_sql() {
        let source = "use sea_orm::EntityTrait;\nuse sqlx::Row;\nuse sea_query::Expr;";
        for name in [
            "crates/store/src/keys.rs",
            "crates/keyring/tests/store.rs",
            "crates/booking/src/store/rows.rs",
            "crates/test-support/src/databases.rs",
            "migrations/src/lib.rs",
        ] {
            assert_eq!(count(name, source), 0, "{name}");
        }
        for name in
            ["crates/keyring/src/keys.rs", "crates/storeroom/src/lib.rs", "server/src/main.rs", "server/tests/api.rs"]
        {
            assert_eq!(count(name, source), 3, "{name}");
        }
    }

    #[test]
    fn whole_words_count() {
        assert_eq!(count("app/src/lib.rs", "use sqlx_core; let my_sqlx = sea_orm_migration;"), 0);
        assert_eq!(count("app/src/lib.rs", "my_todo!()"), 0);
        assert_eq!(count("app/src/lib.rs", "(sqlx)"), 1);
    }

    #[test]
    fn nothing_unfinished_stays() {
        let source = "todo!()\nunimplemented!(\"x\")\ndbg!(x)\n#[ignore]\n#[ignore = \"slow\"]";
        assert_eq!(count("crates/store/src/lib.rs", source), 5);
        assert_eq!(count("xtask/src/lint/sources.rs", source), 0);
    }

    #[test]
    fn complaint_names_the_place() {
        let complaints = complaints_about(Path::new("app/src/a.rs"), "\n  todo!()");
        assert!(complaints[0].starts_with("app/src/a.rs:2 "), "{complaints:?}");
    }
}
