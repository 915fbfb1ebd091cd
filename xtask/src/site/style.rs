use super::tree;
use crate::Result;
use std::path::{Path, PathBuf};

/// Declares the order of the layers, so it comes before every other file.
const FIRST: &str = "main.css";

/// Every style sheet as one, without what only people read.
pub fn read_stylesheets(directory: &Path) -> Result<String> {
    let mut sheets = String::new();
    for name in in_order(tree::files(directory)?)? {
        sheets.push_str(&String::from_utf8(tree::read_file(&directory.join(name))?)?);
        sheets.push('\n');
    }
    Ok(minified(&sheets))
}

fn in_order(mut names: Vec<PathBuf>) -> Result<Vec<PathBuf>> {
    names.retain(|name| name.extension().is_some_and(|extension| extension == "css"));
    names.sort_by_key(|name| (name != Path::new(FIRST), name.clone()));
    match names.first() {
        Some(first) if first == Path::new(FIRST) => Ok(names),
        _ => Err(format!("style/{FIRST} is missing: it declares the order of the layers").into()),
    }
}

/// Leaves out comments, indentation and empty lines, and copies strings, addresses and escapes whole.
fn minified(sheet: &str) -> String {
    let mut out = String::with_capacity(sheet.len());
    let mut rest = sheet;
    while let Some(first) = rest.chars().next() {
        let at_line_start = out.is_empty() || out.ends_with('\n');
        let (length, kept) = match first {
            '"' | '\'' => (string(rest, first), true),
            'u' if is_bare_address(rest) => (up_to(rest, ")"), true),
            '\\' => (escape(rest), true),
            '/' if rest.starts_with("/*") => (comment(rest), !stands_apart(&out)),
            _ => (first.len_utf8(), !(at_line_start && first.is_whitespace())),
        };
        let (taken, left) = rest.split_at(length);
        if kept {
            out.push_str(taken);
        }
        rest = left;
    }
    out
}

/// A comment between two words separates them, so only one beside a space may be removed.
fn stands_apart(before: &str) -> bool {
    before.is_empty() || before.ends_with(|c: char| c.is_whitespace() || "{};,".contains(c))
}

fn string(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn is_bare_address(rest: &str) -> bool {
    rest.strip_prefix("url(").is_some_and(|address| !address.trim_start().starts_with(['"', '\'']))
}

fn escape(rest: &str) -> usize {
    rest.char_indices().nth(2).map_or(rest.len(), |(at, _)| at)
}

fn comment(rest: &str) -> usize {
    2 + up_to(&rest[2..], "*/")
}

fn up_to(rest: &str, end: &str) -> usize {
    rest.find(end).map_or(rest.len(), |at| at + end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_indentation_and_empty_lines_are_removed() {
        let sheet = "/* head */\n\na {\n    color: red; /* why */\n\n  /* one\n two */\n}\n";
        assert_eq!(minified(sheet), "a {\ncolor: red; \n}\n");
    }

    #[test]
    fn strings_addresses_and_escapes_stay_whole() {
        for sheet in [
            "a { content: \"/* kept */  \\\" /* too */\"; }",
            "a { content: 'it\\'s /* kept */'; }",
            "a { background: url(data:image/svg+xml,/*x*/'); }",
            "a { background: url( \"a)b/*c*/\" ); }",
            ".sm\\:flex, .\\\"b { color: red; }",
            "a { content: \"→\\\n    indented\"; }",
        ] {
            assert_eq!(minified(sheet), sheet);
        }
    }

    #[test]
    fn comment_between_two_words_stays() {
        assert_eq!(minified("a { margin: 1px/**/2px; }"), "a { margin: 1px/**/2px; }");
    }

    #[test]
    fn unterminated_comment_is_accepted() {
        for sheet in ["/* open", "\"open", "url(open", "\\", "/*", "a { é: \\é"] {
            minified(sheet);
        }
    }

    #[test]
    fn main_comes_first_and_the_others_in_order() {
        let names = ["zebra.css", "base.css", "main.css", "notes.md"].map(PathBuf::from);
        let names = in_order(names.into()).unwrap();
        assert_eq!(names, ["main.css", "base.css", "zebra.css"].map(PathBuf::from));
    }

    #[test]
    fn missing_main_stylesheet_is_an_error() {
        assert!(in_order(vec!["base.css".into()]).is_err());
    }
}
