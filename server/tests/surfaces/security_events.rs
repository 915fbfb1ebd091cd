//! Failed sign-ins and forbidden calls produce a log line, a count and an audit event.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_support::program::{PASSWORD, Program};

/// Waits until the log has this many lines with this message, and returns them.
async fn logged(program: &Program, message: &str, count: usize) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let log = program.log.lock().unwrap().clone();
        let lines: Vec<String> = log.lines().filter(|line| line.contains(message)).map(str::to_owned).collect();
        if lines.len() >= count {
            assert_eq!(lines.len(), count, "{lines:#?}");
            return lines;
        }
        assert!(Instant::now() < deadline, "{count} lines “{message}” are not in\n{log}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn person_id(program: &Program, email: &str) -> String {
    let people = program.command(&["person", "list", "--tenant", "acme"]);
    let person = people.as_array().unwrap().iter().find(|person| person["email"] == email).unwrap();
    person["id"].as_str().unwrap().to_owned()
}

async fn metric(program: &Program, name: &str) -> String {
    let metrics = program.stranger().get("/metrics").await.text().await.unwrap();
    let line = metrics.lines().find(|line| line.starts_with(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("{name} is not in\n{metrics}")).rsplit_once(' ').unwrap().1.to_owned()
}

fn holds(line: &str, parts: &[&str]) {
    for part in parts {
        assert!(line.contains(part), "{part} is not in {line}");
    }
}

#[tokio::test]
async fn failed_sign_ins_are_logged_counted_and_audited() {
    let program = Program::start();
    program.tenant("acme");
    let id = person_id(&program, "member@acme.test");
    let failures = "latchkey_sign_in_failures_total{reason=\"wrong_credentials\"}";
    assert_eq!(metric(&program, failures).await, "0");
    assert_eq!(program.stranger().sign_in("unknown@acme.test", "a wrong guess").await.status(), 401);
    for _ in 0..10 {
        assert_eq!(program.stranger().sign_in("member@acme.test", "a wrong guess").await.status(), 401);
    }
    for _ in 0..5 {
        assert_eq!(program.stranger().sign_in("member@acme.test", PASSWORD).await.status(), 429);
    }
    let lines = logged(&program, "sign-in failed", 11).await;
    holds(&lines[0], &["WARN", "reason=\"unknown_email\"", "address=127.0.0.1"]);
    assert!(!lines[0].contains("person"), "{}", lines[0]);
    for line in &lines[1..] {
        holds(line, &["WARN", "reason=\"wrong_password\"", "address=127.0.0.1", &format!("person={id}")]);
    }
    let [sampled] = logged(&program, "sign-in throttled", 1).await.try_into().unwrap();
    holds(&sampled, &["WARN", "reason=\"throttled\"", "address=127.0.0.1", &format!("person={id}")]);
    assert_eq!(metric(&program, failures).await, "11");
    assert_eq!(metric(&program, "latchkey_sign_in_failures_total{reason=\"throttled\"}").await, "5");
    let log = program.log.lock().unwrap().clone();
    for typed in ["unknown@acme.test", "member@acme.test", "a wrong guess", PASSWORD] {
        assert!(!log.contains(typed), "{typed} is in the log");
    }

    let deadline = Instant::now() + Duration::from_secs(60);
    let event = loop {
        let words = ["audit", "list", "--tenant", "acme", "--action", "session.sign_ins_failed"];
        let events = program.command(&words);
        if let Some(event) = events.get(0) {
            break event.clone();
        }
        assert!(Instant::now() < deadline, "no event");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!((&event["subject"], &event["address"]), (&json!(id), &json!("127.0.0.1")), "{event}");
    assert_eq!((&event["actor_name"], &event["detail"]["failures"]), (&json!("Unknown"), &json!(10)), "{event}");
}

#[tokio::test]
async fn issued_access_token_is_logged_and_counted() {
    let program = Program::start();
    program.tenant("acme");
    let id = person_id(&program, "member@acme.test");
    let request = reqwest::Client::new().post(format!("{}/api/v1/auth/token", program.url));
    let issued = request.json(&json!({ "email": "member@acme.test", "password": PASSWORD })).send().await.unwrap();
    let token = issued.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned();
    let [line] = logged(&program, "access token issued", 1).await.try_into().unwrap();
    holds(&line, &["WARN", "address=127.0.0.1", &format!("person={id}")]);
    assert!(!line.contains(&token), "{line}");
    assert_eq!(metric(&program, "latchkey_access_tokens_issued_total").await, "1");
}

#[tokio::test]
async fn forbidden_function_is_logged_and_counted() {
    let program = Program::start();
    program.tenant("acme");
    let id = person_id(&program, "member@acme.test");
    let member = program.signed_in("member@acme.test").await;
    for (function, body, reason) in [
        ("/console/create_property", json!({ "name": "Annexe" }), "not_an_admin"),
        ("/console/leave_tenant", json!({}), "not_a_super_user"),
        ("/console/load_key", json!({ "of": "people", "id": "key_01JCQ4Y2V9ZK3T5N6R7S8W9XAB" }), "not_the_owner"),
    ] {
        assert_eq!(member.call(function, &body).await.status(), 403, "{function}");
        let [line] = logged(&program, reason, 1).await.try_into().unwrap();
        holds(&line, &["WARN", "function forbidden", "address=127.0.0.1"]);
        holds(&line, &[&format!("person={id}"), &format!("function=\"{function}\"")]);
    }
    assert_eq!(metric(&program, "latchkey_forbidden_functions_total").await, "3");
}
