//! The CSV export of the audit log, and the operator's check for tampering.

use std::process::Command;

use serde_json::{Value, json};
use test_support::program::{PASSWORD, Program};

#[tokio::test]
async fn csv_export_is_safe_for_spreadsheets() {
    let program = Program::start();
    program.tenant("acme");
    program.key("acme", "=HYPERLINK(\"https://evil.example\",\"click\")");
    program.key("acme", "Two, with \"quotes\"");
    program.key("acme", "Three;=1+1");
    let admin = program.signed_in("tenant-admin@acme.test").await;
    let answer = admin.get("/audit-log.csv?action=key.generated").await;
    assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8; header=present");
    let disposition = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert!(disposition.starts_with("attachment; filename=\"audit-log-acme-2") && disposition.ends_with(".csv\""));
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let text = answer.text().await.unwrap();
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 4, "the headings and three rows: {text}");
    assert!(lines[1].contains(",\"Three;'=1+1\","), "{text}");
    assert!(lines[2].contains(",\"Two, with \"\"quotes\"\"\","), "{text}");
    assert!(lines[3].contains(",\"'=HYPERLINK(\"\"https://evil.example\"\",\"\"click\"\")\","), "{text}");
    let quoted = |line: &&str| line.starts_with('"') && line.ends_with('"') && line.matches("\",\"").count() >= 8;
    assert!(lines.iter().all(quoted), "every cell is in quotes: {text}");
    let all = admin.get("/audit-log.csv").await.text().await.unwrap();
    let listed = program.command(&["audit", "list", "--tenant", "acme", "--limit", "1000"]);
    assert_eq!(all.split_terminator("\r\n").count(), listed.as_array().unwrap().len() + 1);
}

#[tokio::test]
async fn log_page_applies_its_filters() {
    let program = Program::start();
    program.tenant("acme");
    let key = program.key("acme", "PMS");
    program.command(&["key", "revoke", key["id"].as_str().unwrap()]);
    let filtered = |words: &[&str]| -> Vec<Value> {
        let events = program.command(&[&["audit", "list", "--tenant", "acme"], words].concat());
        events.as_array().unwrap().iter().map(|event| event["action"].clone()).collect()
    };
    assert_eq!(filtered(&["--subject", "pms"]), ["key.revoked", "key.generated"]);
    assert_eq!(filtered(&["--action", "key.revoked", "--actor", "operator"]), ["key.revoked"]);
    assert!(filtered(&["--actor", "member@acme.test"]).is_empty());
    assert!(filtered(&["--to", "2020-01-01"]).is_empty());
    assert_eq!(program.shell(&["audit", "list", "--action", "key.exploded"], "").status.code(), Some(2));
    let admin = program.signed_in("tenant-admin@acme.test").await;
    let page = admin.get("/audit-log?subject=nothing").await.text().await.unwrap();
    assert!(page.contains("No change matches"));
}

#[tokio::test]
async fn super_user_is_offered_as_a_filter_only_where_they_acted() {
    let options = ["--admin-email", "root@example.com", "--admin-password", PASSWORD];
    let program = Program::start_with(&options);
    program.tenant("acme");
    program.tenant("other");
    let root = program.signed_in("root@example.com").await;
    let tenants = program.command(&["tenant", "list"]);
    let acme = tenants.as_array().unwrap().iter().find(|tenant| tenant["slug"] == "acme").unwrap();
    assert_eq!(root.call("/console/enter_tenant", &json!({ "id": acme["id"] })).await.status(), 200);
    for (tenant, is_offered) in [("acme", true), ("other", false)] {
        let admin = program.signed_in(&format!("tenant-admin@{tenant}.test")).await;
        let page = admin.get("/audit-log").await.text().await.unwrap();
        let filter = page.split("<optgroup label=\"Installation\">").nth(1).unwrap();
        let filter = filter.split("</optgroup>").next().unwrap();
        assert!(filter.contains("Operator"), "{filter}");
        assert_eq!(filter.matches("<option").count(), 1 + usize::from(is_offered), "{tenant}: {filter}");
    }
}

#[test_support::requires(postgres)]
#[tokio::test]
async fn filter_that_no_database_accepts_is_422() {
    for program in [Program::start(), Program::start_on_postgres()] {
        program.tenant("acme");
        let admin = program.signed_in("tenant-admin@acme.test").await;
        for (query, detail) in [
            ("subject=a%00b", "subject: Remove the invisible control characters."),
            ("actor=%00", "actor: Remove the invisible control characters."),
            ("from=-0001-01-01", "from: Use a year from 1 to 9999."),
            ("from=-262143-01-01", "from: Use a year from 1 to 9999."),
            ("to=%2B262142-12-31", "to: Use a year from 1 to 9999."),
            ("from=0000-01-01&to=0000-01-01", "from: Use a year from 1 to 9999.; to: Use a year from 1 to 9999."),
        ] {
            for page in ["/audit-log", "/audit-log.csv"] {
                let answer = admin.get(&format!("{page}?{query}")).await;
                assert_eq!(answer.status(), 422, "{page}?{query} on {}", program.database_url);
                let text = answer.text().await.unwrap();
                assert!(text.contains(detail), "{text}");
            }
        }
        for query in ["from=0001-01-01&to=9999-12-31", "from=nonsense"] {
            assert_eq!(admin.get(&format!("/audit-log?{query}")).await.status(), 200, "{query}");
        }
        assert_eq!(admin.get("/tenant-api-keys?q=a%00b").await.status(), 200);
        let refused = program.shell(&["audit", "list", "--tenant", "acme", "--from=-0001-01-01", "--json"], "");
        assert_eq!(refused.status.code(), Some(1));
        let document: Value = serde_json::from_slice(&refused.stdout).unwrap();
        assert_eq!(document["error"]["code"], json!("invalid"));
    }
}

#[test]
fn audit_list_has_a_maximum() {
    let program = Program::start();
    for (limit, code) in [("1", 0), ("1000", 0), ("1001", 2), ("0", 2), ("18446744073709551615", 2)] {
        let listed = program.shell(&["audit", "list", "--limit", limit], "");
        assert_eq!(listed.status.code(), Some(code), "{limit}");
    }
}

/// Changes a program's PostgreSQL database behind its back.
fn tamper(program: &Program, sql: &str) {
    let psql = Command::new("psql").args([&program.database_url, "--quiet", "--command", sql]).status().unwrap();
    assert!(psql.success(), "{sql}");
}

#[test_support::requires(postgres)]
#[test]
fn truncated_audit_log_does_not_contain_the_head_that_was_logged() {
    let program = Program::start_on_postgres();
    program.tenant("acme");
    let verified = program.command(&["audit", "verify", "--tenant", "acme"]);
    let head = verified[0]["head"].as_str().unwrap().to_owned();
    let (sequence, hash) = head.split_once(':').unwrap();
    assert_eq!((sequence, hash.len()), (verified[0]["rows"].to_string().as_str(), 64), "{head}");
    let verify = |head: &str| program.shell(&["audit", "verify", "--expect", head], "");
    program.key("acme", "PMS");
    let extended = verify(&head);
    assert_eq!(extended.status.code(), Some(0), "a chain may have grown: {extended:?}");
    assert!(String::from_utf8_lossy(&extended.stdout).contains("head "), "{extended:?}");
    assert_eq!(verify("5").status.code(), Some(2));

    let latest = program.command(&["audit", "verify", "--tenant", "acme"])[0]["head"].as_str().unwrap().to_owned();
    tamper(&program, &format!("DELETE FROM audit_event WHERE hash = '{}'", latest.split_once(':').unwrap().1));
    let end = format!("length = {sequence}, hash = '{hash}'");
    tamper(&program, &format!("UPDATE audit_chain SET {end} WHERE id = (SELECT id FROM tenant)"));
    assert_eq!(verify(&head).status.code(), Some(0));
    let truncated = verify(&latest);
    assert_eq!(truncated.status.code(), Some(1));
    let reason = String::from_utf8_lossy(&truncated.stderr);
    assert!(reason.contains(&latest) && reason.contains("truncated"), "{reason}");
}

#[tokio::test]
async fn audit_heads_are_logged_at_start() {
    let program = Program::start();
    program.tenant("acme");
    let head = program.command(&["audit", "verify"])[0]["head"].as_str().unwrap().to_owned();
    let (folder, _) = program.stop();
    let program = Program::start_in(folder, &[]);
    let line = program.wait_for_log("audit chain head").await;
    assert!(line.contains("acme") && line.contains(&head), "{line}");
}

#[test_support::requires(postgres)]
#[tokio::test]
async fn operator_finds_the_tampered_row() {
    let program = Program::start_on_postgres();
    program.tenant("acme");
    program.tenant("other");
    let whole = program.command(&["audit", "verify"]);
    assert!(whole.as_array().unwrap().iter().all(|chain| chain["fault"].is_null()), "{whole}");
    let sql = "UPDATE audit_event SET actor_name = 'Mallory' WHERE sequence = 2 AND chain_id = \
               (SELECT id FROM tenant WHERE slug = 'other')";
    tamper(&program, sql);
    let found = program.shell(&["audit", "verify"], "");
    let text = String::from_utf8_lossy(&found.stdout);
    assert_eq!(found.status.code(), Some(1));
    assert!(text.contains("BROKEN at row 2 of 2") && text.contains("acme"), "{text}");
    assert!(!found.stderr.is_empty());
    assert_eq!(program.shell(&["audit", "verify", "--tenant", "acme"], "").status.code(), Some(0));
}
