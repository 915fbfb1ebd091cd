//! The commands of docs/operations.md, in their order, on a machine of their own.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;
use test_support::program::{PASSWORD, program_path};

const SANDBOX: &str = include_str!("operations/sandbox.sh");

/// The number of passwords that the page has its reader type.
const TYPED_PASSWORDS: usize = 4;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Returns the script of the whole page: the commands of each section, and what must be true after them.
fn script() -> String {
    let page = fs::read_to_string(repository().join("docs/operations.md")).unwrap();
    let sections = page.split("\n## ").skip(1).map(|section| {
        let heading = section.lines().next().unwrap();
        format!("echo '=== {heading}'\n{}{}", commands(section), checks(heading))
    });
    format!("{SANDBOX}\nset -x\n{}", sections.collect::<String>())
}

fn commands(section: &str) -> String {
    section.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap()).collect()
}

fn checks(heading: &str) -> &'static str {
    match heading {
        "Installing" => {
            "[ \"$(stat -c '%U %a' /var/lib/latchkey/latchkey.db)\" = 'latchkey 600' ]\n\
             lk key create --tenant acme --name Kept --group 'Full access' --json >$SANDBOX/kept.json\n"
        }
        "Backup" => "lk key create --tenant acme --name 'After the backup' --group 'Full access'\n",
        "Restore" => {
            "lk key list --tenant acme >$SANDBOX/keys\n\
             grep -q Kept $SANDBOX/keys\n\
             if grep 'After the backup' $SANDBOX/keys; then exit 1; fi\n\
             cd $SANDBOX/source\n"
        }
        "Logs" => {
            "[ -s /var/log/latchkey.log.1 ]\n\
             curl --silent --output $SANDBOX/page http://127.0.0.1:3000/sign-in\n\
             until grep -q 'route=/sign-in' /var/log/latchkey.log; do sleep 0.05; done\n"
        }
        "Moving to PostgreSQL" => {
            "curl --fail --silent --header \"X-API-Key: $(sed 's/.*\"secret\":\"\\([^\"]*\\)\".*/\\1/' $SANDBOX/kept.json)\" \
             http://127.0.0.1:3000/api/v1/key >$SANDBOX/key\n\
             grep -q '\"Kept\"' $SANDBOX/key\n\
             lk person list --tenant acme | grep ana@example.com\n"
        }
        _ => "",
    }
}

#[test_support::requires(postgres, programs)]
#[test]
fn commands_of_the_operations_guide_work() {
    let folder = TempDir::new().unwrap();
    let script_file = folder.path().join("operations.sh");
    fs::write(&script_file, script()).unwrap();
    let sandbox = folder.path().join("sandbox");
    fs::create_dir(&sandbox).unwrap();
    let mut terminal = Command::new("python3")
        .arg(repository().join("server/tests/surfaces/terminal.py"))
        .args(["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child", "bash"])
        .arg(script_file)
        .env("LATCHKEY", program_path())
        .env("REPOSITORY", repository())
        .env("SANDBOX", &sandbox)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let typed = format!("{PASSWORD}\n").repeat(TYPED_PASSWORDS);
    terminal.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    let output = terminal.wait_with_output().unwrap();
    let screen = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "run this as root, which the page is for:\n{screen}");
}

#[test_support::requires(programs)]
#[test]
fn systemd_accepts_the_unit() {
    let folder = TempDir::new().unwrap();
    let unit = folder.path().join("latchkey.service");
    let shipped = fs::read_to_string(repository().join("deploy/systemd/latchkey.service")).unwrap();
    fs::write(&unit, shipped.replace("/usr/local/bin/latchkey", program_path().to_str().unwrap())).unwrap();
    let run = |words: &[&str]| {
        let output = Command::new("systemd-analyze").args(words).arg(&unit).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    };
    let (is_valid, complaints) = run(&["verify", "--man=no"]);
    let complaints: Vec<&str> = complaints.lines().filter(|line| line.contains("latchkey.service")).collect();
    assert!(is_valid && complaints.is_empty(), "{complaints:?}");
    // From 0, safe, to 100, unsafe.
    let (is_hardened, rating) = run(&["security", "--offline=yes", "--threshold=20"]);
    assert!(is_hardened, "{rating}");
}
