//! Modes of the files that hold the data.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use serde_json::json;
use tempfile::TempDir;
use test_support::program::{PASSWORD, Program, json_of, shell_with_umask};

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn database_files_are_private_under_any_umask() {
    let program = Program::start_with_umask("000");
    program.tenant("acme");
    let data = program.folder.path().join("data");
    assert_eq!(mode(&data), 0o700);
    let mut names: Vec<String> =
        fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let expected = ["", "-shm", "-wal", ".lock", ".secret-key", ".sock"].map(|suffix| format!("latchkey.db{suffix}"));
    assert_eq!(names, expected);
    for name in names {
        assert_eq!(mode(&data.join(&name)), 0o600, "{name}");
    }
    let log = program.log.lock().unwrap();
    assert!(!log.contains("chmod"), "{log}");
}

#[test]
fn control_socket_is_bound_under_a_private_umask() {
    let program = Program::start_with_umask("000");
    assert_eq!(program.status("Umask"), "0077");
}

#[test]
fn command_without_a_server_makes_private_files() {
    let folder = TempDir::new().unwrap();
    let words = ["tenant", "create", "--slug", "acme", "--name", "Acme Hotels", "--json"];
    assert_eq!(json_of(&shell_with_umask("000", &folder, &words, PASSWORD))["slug"], json!("acme"));
    let data = folder.path().join("data");
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("latchkey.db")), 0o600);
    assert_eq!(mode(&data.join("latchkey.db.lock")), 0o600);
}

#[test]
fn wide_modes_are_reported_at_start() {
    let program = Program::start();
    program.tenant("acme");
    // It leaves its write-ahead log behind.
    let folder = program.kill();
    let data = folder.path().join("data");
    let widened = [("", 0o755), ("/latchkey.db", 0o644), ("/latchkey.db-wal", 0o660)];
    for (name, mode) in widened {
        set_mode(Path::new(&format!("{}{name}", data.display())), mode);
    }
    let program = Program::start_in(folder, &[]);
    let log = program.log.lock().unwrap();
    let warnings: Vec<&str> = log.lines().filter(|line| line.contains("chmod")).collect();
    assert_eq!(warnings.len(), widened.len(), "{warnings:#?}");
    for (warning, (name, mode)) in warnings.iter().zip(widened) {
        let private_mode = if name.is_empty() { "700" } else { "600" };
        let advice = format!("run chmod {private_mode} {}{name} ", data.display());
        assert!(warning.contains("WARN") && warning.contains(&advice), "{warning}");
        assert!(warning.ends_with(&format!("mode={mode:04o}")), "{warning}");
    }
}
