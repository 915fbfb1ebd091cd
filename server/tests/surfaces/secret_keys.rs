//! The installation's secret key file: when it is made, when it is asked for, and how its key is rotated.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use tempfile::TempDir;
use test_support::program::{Program, create_postgres, json_of, shell_in, shell_on};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

fn error_of(refused: &Output) -> String {
    assert_eq!(refused.status.code(), Some(1));
    String::from_utf8_lossy(&refused.stderr).into_owned()
}

/// Starts a server that is expected to refuse that.
fn serve(words: &[&str]) -> Output {
    let mut command = Command::new("timeout");
    command.args(["30", env!("CARGO_BIN_EXE_latchkey"), "serve", "--addr", "127.0.0.1:0"]).args(words);
    command.env_remove("LATCHKEY_SECRET_KEY_FILE").output().unwrap()
}

#[test]
fn secret_key_is_made_beside_a_new_sqlite_database() {
    let program = Program::start();
    let file = program.secret_key_file();
    assert_eq!((lines(&file).len(), mode(&file)), (1, 0o600));
    assert!(program.log.lock().unwrap().contains("secret key file created"));
    program.tenant("acme");
    let key = lines(&file);
    let program = Program::start_in(program.stop().0, &[]);
    assert_eq!(lines(&file), key, "later starts take what is there");
    assert!(!program.log.lock().unwrap().contains(&key[0]));
}

#[test_support::requires(postgres)]
#[test]
fn postgres_needs_a_secret_key_file() {
    let folder = TempDir::new().unwrap();
    let url = create_postgres(&folder);
    let error = error_of(&serve(&["--database-url", &url]));
    assert!(error.contains("latchkey secret-key generate") && error.contains("LATCHKEY_SECRET_KEY_FILE"), "{error}");
    let missing = folder.path().join("missing");
    let error = error_of(&serve(&["--database-url", &url, "--secret-key-file", missing.to_str().unwrap()]));
    assert!(error.contains("does not exist") && !missing.exists(), "{error}");
    assert!(shell_on(&url, &["migrate"], "").status.success());
}

#[test]
fn generated_key_opens_a_database() {
    let folder = TempDir::new().unwrap();
    let generated = Command::new(env!("CARGO_BIN_EXE_latchkey"))
        .args(["secret-key", "generate"])
        // There need be no database yet.
        .env("LATCHKEY_DATABASE_URL", "postgres://unknown@127.0.0.1:1/none")
        .output()
        .unwrap();
    assert!(generated.status.success() && generated.stderr.is_empty());
    let file = folder.path().join("secret-key");
    fs::write(&file, &generated.stdout).unwrap();
    let words =
        ["tenant", "create", "--slug", "acme", "--name", "Acme", "--json", "--secret-key-file", file.to_str().unwrap()];
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let error = error_of(&shell_in(&folder, &words, ""));
    assert!(error.contains("chmod 600"), "{error}");
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(json_of(&shell_in(&folder, &words, ""))["slug"], "acme");
    let as_json = json_of(&shell_in(&folder, &["secret-key", "generate", "--json"], ""));
    assert_eq!(as_json["secret_key"].as_str().unwrap().len(), 44);
}

#[test]
fn server_does_not_start_with_another_key() {
    let program = Program::start();
    program.tenant("acme");
    let (url, file) = (program.database_url.clone(), program.secret_key_file());
    let (folder, _) = program.stop();
    let right = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let error = error_of(&serve(&["--database-url", &url]));
    assert!(error.contains("is missing, and the database is encrypted"), "{error}");
    let generated = shell_in(&folder, &["secret-key", "generate"], "").stdout;
    fs::write(&file, &generated).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let error = error_of(&serve(&["--database-url", &url]));
    assert!(error.contains("The secret key file does not belong to this database"), "{error}");
    fs::write(&file, [right, generated].concat()).unwrap();
    Program::start_in(folder, &[]);
}

#[test]
fn secret_key_is_rotated_beside_a_running_server() {
    let program = Program::start();
    program.tenant("acme");
    let file = program.secret_key_file();
    let before = lines(&file);
    let rotated = program.command(&["secret-key", "rotate"]);
    assert_ne!(rotated["key"], rotated["previous_key"]);
    let after = lines(&file);
    assert_eq!((after.len(), &after[1..], mode(&file)), (2, &before[..], 0o600));
    let again = program.command(&["secret-key", "rotate"]);
    assert_eq!((&again["previous_key"], lines(&file).len()), (&rotated["key"], 3));
    program.key("acme", "PMS");
    let program = Program::start_in(program.kill(), &[]);
    let events = program.command(&["audit", "list"]);
    let rotations = events.as_array().unwrap().iter().filter(|event| event["action"] == "secret_key.rotated");
    assert_eq!(rotations.count(), 2);
    for key in lines(&file) {
        assert!(!program.log.lock().unwrap().contains(&key) && !events.to_string().contains(&key));
    }
}

/// An upgraded server has nothing in clear once it says that it is ready.
#[test_support::requires(postgres)]
#[test]
fn first_start_after_an_upgrade_encrypts_before_it_is_ready() {
    let program = Program::start_on_postgres();
    program.tenant("acme");
    let url = program.database_url.clone();
    let (folder, _) = program.stop();
    let psql = |sql: &str| -> String {
        let output =
            Command::new("psql").args([&url, "--quiet", "--tuples-only", "--no-align", "--command", sql]).output();
        String::from_utf8(output.unwrap().stdout).unwrap().trim().to_owned()
    };
    psql("UPDATE person SET totp_secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' WHERE email = 'member@acme.test'");
    psql("UPDATE installation SET token_key = 'a token key in clear', secret_key_check = NULL");
    psql("DELETE FROM audit_event");
    psql("DELETE FROM audit_chain");
    let _program = Program::launch(folder, url.clone(), &[]);
    assert!(psql("SELECT totp_secret FROM person WHERE totp_secret IS NOT NULL").starts_with("v1."));
    assert!(psql("SELECT token_key FROM installation").starts_with("v1."));
}
