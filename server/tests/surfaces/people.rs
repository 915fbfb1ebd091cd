//! People over HTTP and at the shell: invitations, who may not sign in, and who owes a second factor.

use serde_json::{Value, json};
use test_support::program::{PASSWORD, Program};

fn person(program: &Program, email: &str) -> Value {
    let people = program.command(&["person", "list", "--tenant", "acme"]);
    people.as_array().unwrap().iter().find(|person| person["email"] == email).unwrap().clone()
}

fn invite(program: &Program, email: &str) -> Value {
    program.command(&["person", "invite", "--tenant", "acme", "--email", email, "--name", "Zoe"])
}

fn token(invitation: &Value) -> String {
    invitation["link"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned()
}

#[tokio::test]
async fn rejected_sign_ins_get_the_same_response() {
    let program = Program::start();
    program.tenant("acme");
    let gone = ["person", "create", "--tenant", "acme", "--email", "gone@acme.test", "--name", "Gone"];
    let gone = program.command(&[&gone[..], &["--password-stdin"]].concat());
    program.command(&["person", "switch-off", gone["id"].as_str().unwrap()]);
    invite(&program, "zoe@acme.test");
    let mut answers = Vec::new();
    for (email, password) in [
        ("unknown@acme.test", PASSWORD),
        ("member@acme.test", "a wrong password"),
        ("gone@acme.test", PASSWORD),
        ("zoe@acme.test", PASSWORD),
    ] {
        let answer = program.stranger().sign_in(email, password).await;
        let mut headers = answer.headers().clone();
        for varying in ["date", "x-request-id"] {
            headers.remove(varying);
        }
        answers.push((answer.status(), headers, answer.text().await.unwrap()));
    }
    assert_eq!(answers[0].0, 401);
    assert!(answers[0].2.contains("The e-mail address or the password is wrong."));
    for answer in &answers[1..] {
        assert_eq!(*answer, answers[0]);
    }
}

#[tokio::test]
async fn link_works_once_and_is_not_logged() {
    let program = Program::start();
    program.tenant("acme");
    let admin = program.signed_in("tenant-admin@acme.test").await;
    let new = json!({ "email": "zoe@acme.test", "name": "Zoe", "role": "member", "groups": [] });
    let made = admin.call("/console/invite_person", &new).await;
    assert_eq!(made.status(), 200);
    assert_eq!(made.headers()["cache-control"], "no-store");
    let link: String = made.json().await.unwrap();
    let path = link.strip_prefix(&program.url).expect("the link leads to the console").to_owned();
    let token = path.strip_prefix("/invitation/").unwrap().to_owned();

    let zoe = program.stranger();
    let page = zoe.get(&path).await;
    assert_eq!(page.headers()["cache-control"], "no-store");
    assert_eq!(page.headers()["referrer-policy"], "no-referrer");
    let page = page.text().await.unwrap();
    assert!(page.contains("zoe@acme.test") && page.contains("Join acme"));
    let accept = json!({ "token": token, "password": PASSWORD });
    let accepted = zoe.call("/console/accept_invitation", &accept).await;
    assert_eq!(accepted.status(), 200);
    assert!(accepted.headers()["set-cookie"].to_str().unwrap().contains("HttpOnly"));
    assert_eq!(accepted.json::<Value>().await.unwrap(), "/");
    let again = zoe.call("/console/accept_invitation", &accept).await;
    assert_eq!(again.status(), 409);
    assert!(again.text().await.unwrap().contains("already used"));
    assert_eq!(zoe.get(&path).await.status(), 404);
    assert_eq!(zoe.get("/invitation/never").await.status(), 404);
    program.signed_in("zoe@acme.test").await;

    let metrics = program.stranger().get("/metrics").await.text().await.unwrap();
    assert!(!metrics.contains(&token[..8]));
    let log = program.stop_and_read_log();
    assert!(log.contains("/invitation/"), "the visit is logged");
    assert!(!log.contains(&token[8..]), "the token is not");
}

#[tokio::test]
async fn weak_password_is_refused_with_advice() {
    let program = Program::start();
    program.tenant("acme");
    let accept = json!({ "token": token(&invite(&program, "zoe@acme.test")), "password": "zoe@acme.test" });
    let refused = program.stranger().call("/console/accept_invitation", &accept).await;
    assert_eq!(refused.status(), 422);
    let text = refused.text().await.unwrap();
    assert!(text.contains("This password is easy to guess.") && text.contains("Leave out your name"), "{text}");

    let words = ["person", "set-password", "--email", "member@acme.test", "--password-stdin", "--json"];
    let refused = program.shell(&words, "qwertyuiopasdf");
    assert_eq!(refused.status.code(), Some(1));
    let document: Value = serde_json::from_slice(&refused.stdout).unwrap();
    let error = &document["error"]["errors"][0];
    assert_eq!((&error["field"], &error["code"]), (&json!("password"), &json!("too_weak")), "{document}");
}

#[tokio::test]
async fn person_without_required_mfa_is_led_to_enrollment() {
    let program = Program::start();
    program.tenant("acme");
    let admin = program.signed_in("tenant-admin@acme.test").await;
    let member = program.signed_in("member@acme.test").await;
    let required = admin.call("/console/require_second_factor", &json!({ "is_required": true })).await;
    assert_eq!(required.status(), 200);
    for (browser, who) in [(&admin, "admin"), (&member, "member")] {
        for page in ["/", "/tenant-api-keys", "/people", "/people/new", "/user-profile/api-keys/new"] {
            let answer = browser.get(page).await;
            assert_eq!(
                (answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()),
                (303, "/security"),
                "{page} as {who}"
            );
        }
        for page in ["/security", "/security/second-factor", "/user-profile"] {
            assert_eq!(browser.get(page).await.status(), 200, "{page} as {who}");
        }
        let security = browser.get("/security").await.text().await.unwrap();
        assert!(security.contains("requires a second factor"));
        let refused = browser.call("/console/invite_person", &json!({ "email": "x", "name": "x", "role": "x" })).await;
        assert_eq!(refused.status(), 403);
        assert!(browser.call("/console/sign_out", &json!({})).await.status().as_u16() < 400, "signing out as {who}");
    }
}

#[tokio::test]
async fn members_see_admin_contacts() {
    let program = Program::start();
    program.tenant("acme");
    let odd = ["person", "create", "--tenant", "acme", "--email", "odd?bcc=eve@acme.test", "--name", "Odd <b>"];
    program.command(&[&odd[..], &["--role", "tenant-admin", "--password-stdin"]].concat());
    let member = program.signed_in("member@acme.test").await;
    for page in ["/", "/people"] {
        let text = member.get(page).await.text().await.unwrap();
        assert!(text.contains(r#"href="mailto:tenant-admin@acme.test""#), "{page}");
        assert!(text.contains(r#"href="mailto:odd%3Fbcc%3Deve@acme.test""#), "{page}: an address is nothing but one");
        assert!(!text.contains("Odd <b>"), "{page}");
    }
}

#[test]
fn shell_can_do_what_admins_do() {
    let program = Program::start();
    program.tenant("acme");
    let group = ["group", "create", "--tenant", "acme", "--name", "Front desk", "--type", "person"];
    program.command(&[&group[..], &["--permission", "reservations:*"]].concat());
    let invitation = invite(&program, "zoe@acme.test");
    let link = invitation["link"].as_str().unwrap();
    assert!(link.starts_with(&format!("{}/invitation/", program.url)), "{link}: the running server's own address");
    assert_eq!(token(&invitation).len(), 64);
    let zoe = invitation["id"].as_str().unwrap();
    assert_eq!(person(&program, "zoe@acme.test")["state"], "invited");
    assert_eq!(person(&program, "member@acme.test")["state"], "active");

    let words = ["person", "set-role", zoe, "--role", "member", "--group", "Front desk"];
    let after = program.command(&words);
    assert_eq!((&after["role"], &after["groups"][0]["name"]), (&json!("member"), &json!("Front desk")));
    assert_eq!(program.command(&["person", "set-role", zoe, "--role", "tenant-admin"])["groups"], json!([]));
    assert_eq!(program.command(&["person", "switch-off", zoe])["state"], "switched_off");
    assert_eq!(program.command(&["person", "switch-on", zoe])["state"], "invited");
    assert_eq!(program.command(&["person", "reset-second-factor", zoe])["has_second_factor"], false);

    let admin = person(&program, "tenant-admin@acme.test")["id"].as_str().unwrap().to_owned();
    for words in [["person", "switch-off", &admin], ["person", "set-role", &admin]] {
        let refused = program.shell(&[&words[..], &["--json"]].concat(), "");
        assert_eq!(refused.status.code(), Some(1));
        let refused: Value = serde_json::from_slice(&refused.stdout).unwrap();
        assert_eq!(refused["error"]["code"], "refused");
        assert!(refused["error"]["detail"].as_str().unwrap().contains("only admin"));
    }
    let missing = program.shell(&["person", "switch-off", "per_01JCQ4Y2V9ZK3T5N6R7S8W9XAB"], "");
    assert_eq!(missing.status.code(), Some(1));
    assert_eq!(program.shell(&["person", "set-role", zoe, "--role", "super-user"], "").status.code(), Some(2));
    let listed = String::from_utf8(program.shell(&["person", "list", "--tenant", "acme"], "").stdout).unwrap();
    assert!(listed.lines().any(|line| line.contains("zoe@acme.test") && line.ends_with("invited")), "{listed}");
}
