//! The help of the command line, which operators read first.

use std::process::Command;

use test_support::program::program_path;

fn help(words: &[&str]) -> String {
    // Help shows the value of each variable that is set.
    let output = Command::new(program_path()).args(words).arg("--help").env_clear().output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// `INSTA_UPDATE=always` accepts a change; review it before committing it.
#[test]
fn help_matches_the_committed_one() {
    let mut text = String::new();
    for words in [
        &[][..],
        &["serve"],
        &["tenant"],
        &["person"],
        &["property"],
        &["group"],
        &["permission"],
        &["key"],
        &["key", "create"],
        &["key", "rotate"],
        &["audit"],
        &["secret-key"],
        &["completions"],
        &["man"],
    ] {
        text.push_str(&format!("$ latchkey {}\n{}\n", [words, &["--help"]].concat().join(" "), help(words)));
    }
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("help", text);
    });
}
