//! The command line: what it does, how it ends, and who owns the database.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::program::{PASSWORD, Program, draft, json_of, program_path, shell_in, shell_on};

fn set_up(run: &dyn Fn(&[&str]) -> Value) -> String {
    let tenant = run(&["tenant", "create", "--slug", "acme", "--name", "Acme Hotels", "--key-limit", "10"]);
    assert_eq!((&tenant["slug"], &tenant["key_limit"]), (&json!("acme"), &json!(10)));
    let words = ["person", "create", "--tenant", "acme", "--email", "ana@acme.test", "--name", "Ana"];
    let person = run(&[&words[..], &["--role", "tenant-admin", "--password-stdin"]].concat());
    assert_eq!((&person["email"], &person["role"]), (&json!("ana@acme.test"), &json!("tenant_admin")));
    let words = ["group", "create", "--tenant", "acme", "--name", "Booking", "--type", "tenant-api-key"];
    let group = run(&[&words[..], &["--permission", "reservations:*", "--permission", "*:read"]].concat());
    assert_eq!(group["permissions"], json!(["*:read", "reservations:*"]));
    let property = run(&["property", "create", "--tenant", "acme", "--name", "Harbour House"]);
    property["id"].as_str().unwrap().to_owned()
}

/// The lifecycle of a key, from the shell.
fn run_key_lifecycle(run: &dyn Fn(&[&str]) -> Value) {
    let property = set_up(run);
    let words = ["key", "create", "--tenant", "acme", "--name", "PMS", "--group", "Booking", "--scope", "read"];
    let more = ["--scope", "write", "--expires", "2099-01-31T00:00:00Z", "--ip", "10.0.0.0/8", "--origin"];
    let rest = ["https://book.acme.test", "--rate-limit", "120", "--property", &property];
    let made = run(&[&words[..], &more, &rest].concat());
    let id = made["id"].as_str().unwrap();
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("lk_tk_"));
    assert_eq!(made.as_object().unwrap().len(), 3);

    let shown = run(&["key", "show", id]);
    assert_eq!(shown["expires_at"], "2099-01-31T00:00:00Z");
    assert_eq!((&shown["status"], &shown["expiration"]), (&json!("active"), &json!("valid")));
    assert_eq!((&shown["all_properties"], &shown["properties"]), (&json!(false), &json!([property])));
    assert_eq!(shown["scopes"], json!(["read", "write"]));
    assert!(!shown.to_string().contains(secret));
    assert_eq!(run(&["key", "list", "--tenant", "acme"]), json!([shown]));
    assert_eq!(run(&["key", "list", "--tenant", "acme", "--status", "revoked"]), json!([]));
    assert_eq!(run(&["key", "list", "--tenant", "acme", "--search", "pms", "--expiration", "valid"]), json!([shown]));

    let edited = run(&["key", "edit", id, "--name", "Front desk", "--all-properties", "--any-ip", "--scope", "read"]);
    assert_eq!((&edited["name"], &edited["scopes"]), (&json!("Front desk"), &json!(["read"])));
    assert_eq!((&edited["all_properties"], &edited["allowed_ips"]), (&json!(true), &json!([])));
    assert_eq!(edited["allowed_origins"], json!(["https://book.acme.test"]), "what is not named stays");

    let rotated = run(&["key", "rotate", id, "--grace", "24h", "--expires", "2099-06-30"]);
    assert_ne!(rotated["secret"], made["secret"]);
    let shown = run(&["key", "show", id]);
    assert!(shown["old_secret_until"].is_string());
    assert_eq!(shown["expires_at"], "2099-06-30T23:59:59.999Z");
    run(&["key", "end-grace", id]);
    assert!(run(&["key", "show", id])["old_secret_until"].is_null());

    assert_eq!(run(&["key", "revoke", id])["status"], "revoked");
    assert_eq!(run(&["key", "revoke", id])["status"], "revoked", "twice is once");
    run(&["key", "delete", id]);
    assert_eq!(run(&["key", "list", "--tenant", "acme"]), json!([]));

    let tenant = run(&["tenant", "set", "--slug", "acme", "--key-limit", "50", "--api-keys", "off"]);
    assert_eq!((&tenant["key_limit"], &tenant["api_keys"]), (&json!(50), &json!(false)));
    let listed = &run(&["tenant", "list"])[0];
    assert_eq!((&listed["id"], &listed["api_keys"]), (&tenant["id"], &json!(false)));
    assert_eq!((&listed["active_keys"], &listed["people"]), (&json!(0), &json!(1)));
    assert_eq!(run(&["person", "list", "--tenant", "acme"]).as_array().unwrap().len(), 1);
    assert_eq!(run(&["group", "list", "--tenant", "acme"]).as_array().unwrap().len(), 4);
    assert_eq!(run(&["property", "list", "--tenant", "acme"])[0]["id"], json!(property));
}

#[test]
fn services_and_packages_are_managed_from_the_shell() {
    let program = Program::start();
    let property = set_up(&|words| program.command(words));
    let place = ["--tenant", "acme", "--property", &property];
    let words = ["service", "create", "--name", "Double room", "--units", "12", "--price", "12900"];
    let service = program.command(&[&words[..], &place].concat());
    assert_eq!(service["price"], json!({ "amount": 12900, "currency": "EUR" }));
    let id = service["id"].as_str().unwrap();
    let words = ["package", "create", "--service", id, "--name", "With breakfast", "--price", "14900"];
    let package = program.command(&[&words[..], &place].concat());
    assert_eq!((&package["service_id"], &package["property_id"]), (&service["id"], &json!(property)));

    let words = ["service", "create", "--name", "x", "--units", "0", "--price=-1", "--currency", "euro", "--json"];
    let refused = program.shell(&[&words[..], &place].concat(), "");
    assert_eq!(refused.status.code(), Some(1));
    let document: Value = serde_json::from_slice(&refused.stdout).unwrap();
    let fields: Vec<&Value> =
        document["error"]["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
    assert_eq!(fields, ["name", "units", "price", "currency"]);
    program.tenant("other");
    let words = ["service", "create", "--tenant", "other", "--property", &property, "--name", "Theirs", "--units", "1"];
    assert_eq!(program.shell(&[&words[..], &["--price", "1"]].concat(), "").status.code(), Some(1));
}

#[test]
fn offers_are_edited_archived_and_restored_from_the_shell() {
    let program = Program::start();
    let property = set_up(&|words| program.command(words));
    let place = ["--tenant", "acme", "--property", &property];
    let words = ["service", "create", "--name", "Double room", "--units", "12", "--price", "12900"];
    let service = program.command(&[&words[..], &place].concat());
    let service = service["id"].as_str().unwrap();
    let words = ["package", "create", "--service", service, "--name", "With breakfast", "--price", "14900"];
    let package = program.command(&[&words[..], &place].concat());
    let package = package["id"].as_str().unwrap();
    let edited = program.command(&["service", "edit", service, "--units", "9"]);
    assert_eq!((&edited["units"], &edited["name"]), (&json!(9), &json!("Double room")));
    let edited = program.command(&["package", "edit", package, "--price", "15000", "--currency", "CHF"]);
    assert_eq!(edited["price"], json!({ "amount": 15_000, "currency": "CHF" }));
    for (kind, id) in [("service", service), ("package", package)] {
        assert!(program.command(&[kind, "archive", id])["archived_at"].is_string(), "{kind}");
        let listed = program.command(&[&[kind, "list"][..], &place].concat());
        assert!(listed[0]["id"] == id && listed[0]["archived_at"].is_string(), "{listed}");
        assert!(program.command(&[kind, "restore", id])["archived_at"].is_null(), "{kind}");
        assert_eq!(program.shell(&[kind, "archive", "nonsense"], "").status.code(), Some(1));
    }
}

#[test]
fn what_exists_is_not_created_again() {
    let program = Program::start();
    let property = set_up(&|words| program.command(words));
    let service = ["service", "create", "--tenant", "acme", "--property", &property, "--name", "Double room"];
    let service = [&service[..], &["--units", "2", "--price", "1"]].concat();
    let id = program.command(&service)["id"].as_str().unwrap().to_owned();
    let package = ["package", "create", "--tenant", "acme", "--property", &property, "--service", &id];
    for words in [
        vec!["property", "create", "--tenant", "acme", "--name", "Old Town"],
        vec!["group", "create", "--tenant", "acme", "--name", "Read", "--type", "person", "--permission", "*:read"],
        vec!["key", "create", "--tenant", "acme", "--name", "PMS", "--group", "Booking"],
        [&service[..6], &["--name", "Suite", "--units", "2", "--price", "1"]].concat(),
        [&package[..], &["--name", "With breakfast", "--price", "1"]].concat(),
    ] {
        let ensure = [&words[..], &["--if-absent"]].concat();
        let first = program.command(&ensure);
        assert_eq!(first["created"], true, "{words:?}");
        let second = program.command(&ensure);
        assert_eq!((&second["id"], &second["created"]), (&first["id"], &json!(false)), "{words:?}");
        assert_eq!(second["secret"], Value::Null, "a secret is shown once");
        let text = program.shell(&ensure, "");
        assert!(String::from_utf8_lossy(&text.stdout).contains("exists already"), "{words:?}");
    }
    let keys = || program.command(&["key", "list", "--tenant", "acme", "--status", "active"]);
    program.command(&["key", "revoke", keys()[0]["id"].as_str().unwrap()]);
    let words = ["key", "create", "--tenant", "acme", "--name", "PMS", "--group", "Booking", "--if-absent"];
    assert_eq!(program.command(&words)["created"], true, "a revoked key does not count");
}

#[tokio::test]
async fn personal_keys_are_shown_and_revoked_but_not_changed() {
    let program = Program::start();
    program.tenant("acme");
    let member = program.signed_in("member@acme.test").await;
    let new = json!({ "of": "oneself", "draft": draft("Laptop", ""), "expiration": "never" });
    let made: Value = member.call("/console/generate_key", &new).await.json().await.unwrap();
    let id = made["id"].as_str().unwrap();
    let shown = program.command(&["key", "show", id]);
    assert_eq!((&shown["name"], &shown["owner"]["name"]), (&json!("Laptop"), &json!("member")));
    for words in [&["key", "edit", id, "--name", "Mine"][..], &["key", "rotate", id], &["key", "delete", id]] {
        let refused = program.shell(words, "");
        assert_eq!(refused.status.code(), Some(1), "{words:?}");
        let reason = String::from_utf8_lossy(&refused.stderr);
        assert!(reason.contains("This is a personal key. Only its owner can change it"), "{reason}");
    }
    assert_eq!(program.command(&["key", "revoke", id])["status"], "revoked");
}

#[test]
fn properties_and_groups_are_managed_from_the_shell() {
    let program = Program::start();
    let property = set_up(&|words| program.command(words));
    let renamed = program.command(&["property", "rename", &property, "--name", "Harbour Hotel"]);
    assert_eq!((&renamed["name"], &renamed["archived_at"]), (&json!("Harbour Hotel"), &Value::Null));
    assert!(program.command(&["property", "archive", &property])["archived_at"].is_string());
    let listed = program.command(&["property", "list", "--tenant", "acme"]);
    assert!(listed[0]["archived_at"].is_string() && listed[0]["active_keys"] == 0, "{listed}");
    assert!(program.command(&["property", "restore", &property])["archived_at"].is_null());

    let groups = program.command(&["group", "list", "--tenant", "acme"]);
    let group = groups.as_array().unwrap().iter().find(|group| group["name"] == "Booking").unwrap();
    let id = group["id"].as_str().unwrap();
    let edited = program.command(&["group", "edit", id, "--name", "Reserving"]);
    assert_eq!((&edited["name"], &edited["permissions"]), (&json!("Reserving"), &group["permissions"]));
    let edited = program.command(&["group", "edit", id, "--permission", "services:read"]);
    assert_eq!((&edited["name"], &edited["permissions"]), (&json!("Reserving"), &json!(["services:read"])));
    let words = ["key", "create", "--tenant", "acme", "--name", "PMS", "--group", "Reserving"];
    let key = program.command(&words);
    let shown = program.command(&["group", "show", id]);
    assert_eq!((&shown["name"], &shown["use"]["active_keys"]), (&json!("Reserving"), &json!(1)));
    assert_eq!((&shown["keys"][0]["name"], &shown["people"]), (&json!("PMS"), &json!([])));
    let refused = program.shell(&["group", "delete", id], "");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("1 active key uses this group."));
    program.command(&["key", "delete", key["id"].as_str().unwrap()]);
    assert_eq!(program.command(&["group", "delete", id])["id"], json!(id));
    for words in [["group", "delete", id], ["property", "archive", "nonsense"]] {
        assert_eq!(program.shell(&words, "").status.code(), Some(1), "{words:?}");
    }
}

#[test]
fn audit_log_is_listed_from_the_shell() {
    let program = Program::start();
    program.tenant("acme");
    let key = program.key("acme", "PMS");
    program.command(&["key", "revoke", key["id"].as_str().unwrap()]);
    let events = program.command(&["audit", "list", "--tenant", "acme", "--limit", "2"]);
    let told: Vec<(&Value, &Value)> =
        events.as_array().unwrap().iter().map(|event| (&event["action"], &event["subject"])).collect();
    assert_eq!(told, [(&json!("key.revoked"), &key["id"]), (&json!("key.generated"), &key["id"])]);
    assert_eq!(events[0]["actor_name"], "Operator");
    assert!(!events.to_string().contains(key["secret"].as_str().unwrap()));
}

#[test]
fn secret_in_a_key_description_is_refused() {
    let program = Program::start();
    program.tenant("acme");
    let secret = program.key("acme", "PMS")["secret"].as_str().unwrap().to_owned();
    let words = ["key", "create", "--tenant", "acme", "--group", "Full access", "--name", &secret, "--description"];
    let refused = program.shell(&[&words[..], &[&format!("the key is {secret}")]].concat(), "");
    assert_eq!(refused.status.code(), Some(1));
    let reason = String::from_utf8_lossy(&refused.stderr);
    assert!(reason.contains("name: Remove the API key's secret") && reason.contains("description: Remove"), "{reason}");
    assert!(!reason.contains(&secret));
}

#[test]
fn key_lifecycle_without_a_server() {
    let folder = TempDir::new().unwrap();
    run_key_lifecycle(&|words| json_of(&shell_in(&folder, &[words, &["--json"]].concat(), PASSWORD)));
}

#[test_support::requires(postgres)]
#[test]
fn key_lifecycle_on_postgres() {
    let program = Program::start_on_postgres();
    run_key_lifecycle(&|words| program.command(words));
}

#[test]
fn key_lifecycle_beside_a_server() {
    let program = Program::start();
    run_key_lifecycle(&|words| program.command(words));
    let socket = program.folder.path().join("data/latchkey.db.sock");
    assert_eq!(socket.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn refusals_are_printed_as_text_and_json() {
    let program = Program::start();
    program.tenant("acme");
    let words = ["key", "create", "--tenant", "acme", "--name", "x", "--group", "None", "--ip", "here"];
    let refused = program.shell(&words, "");
    assert_eq!(refused.status.code(), Some(1));
    let reason = String::from_utf8_lossy(&refused.stderr);
    for part in ["name: Use at least 2 characters.", "group: There is no such group for API keys.", "Line 1, “here”"]
    {
        assert!(reason.contains(part), "{reason}");
    }
    assert!(refused.stdout.is_empty());
    let refused = program.shell(&[&words[..], &["--json"]].concat(), "");
    assert_eq!(refused.status.code(), Some(1));
    let document: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!(document["error"]["code"], "invalid");
    assert_eq!(document["error"]["errors"][0]["field"], "name");

    for (words, code) in [
        (&["key", "show", "key_01JCQ4Y2V9ZK3T5N6R7S8W9XAB"][..], 1),
        (&["key", "show", "nonsense"], 1),
        (&["key", "list", "--tenant", "unknown"], 1),
        (&["person", "create", "--tenant", "acme", "--email", "a@b.test", "--name", "No password"], 1),
        (&["key", "explode"], 2),
        (&["key", "rotate", "x", "--grace", "3 weeks"], 2),
        (&["--addr", "nowhere"], 2),
        (&["--public-url", "keys.example.com"], 2),
    ] {
        let refused = program.shell(words, "");
        assert_eq!(refused.status.code(), Some(code), "{words:?}");
        assert!(!refused.stderr.is_empty(), "{words:?} says nothing");
    }
}

/// The pool would try for ten seconds.
#[test]
fn unreachable_database_is_reported_soon() {
    for words in [&["tenant", "list", "--json"][..], &["migrate", "--json"], &["serve"]] {
        let start = Instant::now();
        let refused = shell_on("postgres://unknown@127.0.0.1:1/none", words, "");
        assert_eq!(refused.status.code(), Some(1), "{words:?}");
        assert!(start.elapsed().as_secs() < 5, "{words:?} took {:?}", start.elapsed());
        let reason = String::from_utf8_lossy(&refused.stderr);
        assert!(reason.contains("PostgreSQL cannot be reached at 127.0.0.1:1: "), "{reason}");
        if words.contains(&"--json") {
            let document: Value = serde_json::from_slice(&refused.stdout).unwrap();
            assert_eq!(document["error"]["code"], "unavailable", "{words:?}");
        }
    }
}

#[test]
fn completions_and_manual_pages_are_printed() {
    let folder = TempDir::new().unwrap();
    let print = |words: &[&str]| {
        let output = shell_in(&folder, words, "");
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    for (shell, part) in
        [("bash", "complete -F _latchkey"), ("zsh", "#compdef latchkey"), ("fish", "complete -c latchkey")]
    {
        let script = print(&["completions", shell]);
        assert!(script.contains(part) && script.contains("if-absent"), "{shell}");
    }
    let whole = print(&["man"]);
    assert!(
        whole.contains(".TH latchkey 1") && whole.contains("trusted") && whole.contains("latchkey\\-key(1)"),
        "{whole}"
    );
    let page = print(&["man", "key", "create"]);
    assert!(page.contains(".TH latchkey-key-create 1") && page.contains("if\\-absent"), "{page}");
    assert!(!page.contains("trusted"), "the server's settings are on its own page");
    assert_eq!(shell_in(&folder, &["man", "key", "explode"], "").status.code(), Some(2));
}

#[test_support::requires(programs)]
#[test]
fn typed_password_is_asked_twice_and_not_shown() {
    let program = Program::start();
    program.command(&["tenant", "create", "--slug", "acme", "--name", "Acme"]);
    let person = ["person", "create", "--tenant", "acme", "--email", "ana@acme.test", "--name", "Ana"];
    let type_in = |lines: &str| {
        let mut python = Command::new("python3");
        python.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/surfaces/terminal.py"));
        python.arg(program_path()).args(person);
        python.env("LATCHKEY_DATABASE_URL", &program.database_url).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut python = python.spawn().unwrap();
        python.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        let output = python.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, screen) = type_in(&format!("{PASSWORD}\nsomething else here\n"));
    assert!(code == Some(1) && screen.contains("the two passwords differ"), "{screen}");
    let (code, screen) = type_in(&format!("{PASSWORD}\n{PASSWORD}\n"));
    assert!(code == Some(0) && screen.contains("Created Ana"), "{screen}");
    assert!(!screen.contains(PASSWORD), "{screen}");
    let without_terminal = program.shell(&person, PASSWORD);
    assert!(String::from_utf8_lossy(&without_terminal.stderr).contains("--password-stdin"));
}

#[tokio::test]
async fn secrets_are_read_from_files() {
    let folder = TempDir::new().unwrap();
    let (url, password) = (folder.path().join("url"), folder.path().join("password"));
    fs::write(&url, format!("sqlite://{}/latchkey.db\n", folder.path().display())).unwrap();
    fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    let options = ["--admin-email", "root@example.com", "--admin-password-file", password.to_str().unwrap()];
    let program = Program::start_with_url_file(TempDir::new().unwrap(), &url, &options);
    program.signed_in("root@example.com").await;
    assert!(folder.path().join("latchkey.db").exists());
    let missing = shell_in(&folder, &["serve", "--admin-email", "root@example.com"], "");
    assert!(String::from_utf8_lossy(&missing.stderr).contains("LATCHKEY_ADMIN_PASSWORD_FILE"));
    let both = program.shell(&["tenant", "list", "--database-url-file", url.to_str().unwrap()], "");
    assert_eq!(both.status.code(), Some(2), "two database URLs: {both:?}");
}

#[test]
fn default_output_is_text() {
    let program = Program::start();
    program.tenant("acme");
    let made = program.shell(&["key", "create", "--tenant", "acme", "--name", "PMS", "--group", "Read only"], "");
    let text = String::from_utf8_lossy(&made.stdout).into_owned();
    assert!(text.contains("not shown again") && text.contains("lk_tk_"), "{text}");
    let list = program.shell(&["key", "list", "--tenant", "acme"], "");
    assert!(String::from_utf8_lossy(&list.stdout).contains("active"));
}

#[test]
fn database_file_has_one_owner() {
    let program = Program::start();
    let second = shell_in(&program.folder, &["serve", "--addr", "127.0.0.1:0"], "");
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another latchkey process uses"));
    let migrate = program.shell(&["migrate", "--json"], "");
    assert_eq!(json_of(&migrate), json!({ "up_to_date": true }), "the server has done it already");
    let (folder, status) = program.stop();
    assert!(status.success(), "told to stop, it ends well: {status}");
    assert!(!folder.path().join("data/latchkey.db.sock").exists());
    assert_eq!(shell_in(&folder, &["migrate"], "").status.code(), Some(0));
    assert_eq!(json_of(&shell_in(&folder, &["tenant", "list", "--json"], "")), json!([]));
}

#[test]
fn missing_database_is_reported_instead_of_created() {
    let folder = TempDir::new().unwrap();
    let error = |words: &[&str]| {
        let output = shell_in(&folder, words, "");
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let list = ["tenant", "list"];
    assert!(error(&list).contains("there is no database at"), "{}", error(&list));
    assert!(!folder.path().join("data/latchkey.db").exists());
    let elsewhere = format!("sqlite://{}/nowhere/latchkey.db", folder.path().display());
    for words in
        [&["migrate"][..], &["serve", "--addr", "127.0.0.1:0"], &["tenant", "create", "--slug", "a", "--name", "A"]]
    {
        let error = error(&[words, &["--database-url", &elsewhere]].concat());
        assert!(error.contains("does not exist; create it"), "{error}");
    }
    assert!(!folder.path().join("nowhere").exists());
    assert_eq!(shell_in(&folder, &["migrate"], "").status.code(), Some(0));
    assert_eq!(shell_in(&folder, &list, "").status.code(), Some(0));
}

#[tokio::test]
async fn hangup_does_not_stop_the_server() {
    let program = Program::start();
    program.signal("HUP");
    program.wait_for_log("SIGHUP ignored").await;
    assert_eq!(program.stranger().get("/livez").await.status(), 200);
    assert!(program.stop().1.success());
}

#[test]
fn concurrent_commands_take_turns() {
    let folder = TempDir::new().unwrap();
    let start = Instant::now();
    thread::scope(|scope| {
        let runs: Vec<_> = (0..8)
            .map(|number| {
                let folder = &folder;
                scope.spawn(move || {
                    let slug = format!("tenant-{number}");
                    json_of(&shell_in(folder, &["tenant", "create", "--slug", &slug, "--name", "Acme", "--json"], ""))
                })
            })
            .collect();
        for run in runs {
            run.join().unwrap();
        }
    });
    assert_eq!(json_of(&shell_in(&folder, &["tenant", "list", "--json"], "")).as_array().unwrap().len(), 8);
    assert!(start.elapsed().as_secs() < 20);
}

#[test]
fn acknowledged_commands_survive_a_kill() {
    let program = Program::start();
    program.tenant("acme");
    let kept = program.key("acme", "Kept");
    let revoked = program.key("acme", "Revoked");
    program.command(&["key", "revoke", revoked["id"].as_str().unwrap()]);
    let program = Program::start_in(program.kill(), &[]);
    let status = |key: &Value| program.command(&["key", "show", key["id"].as_str().unwrap()])["status"].clone();
    assert_eq!((status(&kept), status(&revoked)), (json!("active"), json!("revoked")));
}

#[test]
fn demo_is_for_empty_databases_only() {
    let program = Program::start_with(&["--demo"]);
    program.find_in_log(|log| log.contains("Sign in to the demo with  ana@northwind.example").then_some(()));
    let (folder, _) = program.stop();
    let before = json_of(&shell_in(&folder, &["key", "list", "--tenant", "northwind", "--json"], ""));
    let program = Program::start_in(folder, &["--demo"]);
    assert!(program.log.lock().unwrap().contains("has tenants already"));
    assert_eq!(program.command(&["key", "list", "--tenant", "northwind"]), before);
}

#[test]
fn password_of_an_ambiguous_address_is_set_in_the_tenant_that_is_named() {
    let program = Program::start();
    for slug in ["acme", "other"] {
        program.tenant(slug);
        let person = ["person", "create", "--tenant", slug, "--email", "ana@example.test", "--name", "Ana"];
        program.command(&[&person[..], &["--role", "member", "--password-stdin"]].concat());
    }
    let set = ["person", "set-password", "--email", "ana@example.test", "--password-stdin"];
    let ambiguous = program.shell(&set, "another good password\n");
    assert_eq!(ambiguous.status.code(), Some(1));
    let reason = String::from_utf8_lossy(&ambiguous.stderr);
    assert!(reason.contains("acme, other") && reason.contains("--tenant"), "{reason}");
    let named = program.shell(&[&set[..], &["--tenant", "other"]].concat(), "another good password\n");
    assert_eq!(named.status.code(), Some(0), "{named:?}");
    assert_eq!(
        program.shell(&[&set[..], &["--super-user"]].concat(), "another good password\n").status.code(),
        Some(1)
    );
}

#[tokio::test]
async fn first_super_user_comes_from_the_environment() {
    let options = ["--admin-email", "root@example.com", "--admin-password", PASSWORD];
    let program = Program::start_with(&options);
    let root = program.signed_in("root@example.com").await;
    assert_eq!(root.get("/").await.headers()["location"], "/tenants");
    assert_eq!(root.get("/tenants").await.status(), 200);
    let (folder, _) = program.stop();
    let program = Program::start_in(folder, &options);
    assert_eq!(program.command(&["person", "list"]).as_array().unwrap().len(), 1);
}
