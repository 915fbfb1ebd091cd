//! Second factors that are required, and step-up, seen through the console.

use std::process::Command;

use serde_json::json;
use test_support::program::{PASSWORD, Program};

#[tokio::test]
async fn person_without_required_mfa_can_only_enroll() {
    let program = Program::start();
    program.tenant("acme");
    program.tenant("other");
    let admin = program.signed_in("tenant-admin@acme.test").await;
    let requirement = |is_required: bool| json!({ "is_required": is_required });
    assert_eq!(admin.call("/console/require_second_factor", &requirement(true)).await.status(), 200);
    let waived = admin.call("/console/require_second_factor", &requirement(false)).await;
    assert_eq!(waived.status(), 403, "nor can they do without it");
    for page in ["/", "/tenant-api-keys", "/tenant-api-keys/new", "/user-profile/api-keys/new"] {
        let answer = admin.get(page).await;
        assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (303, &"/security".parse().unwrap()));
    }
    for page in ["/security", "/security/second-factor", "/user-profile"] {
        assert_eq!(admin.get(page).await.status(), 200, "{page}");
    }
    let elsewhere = program.signed_in("tenant-admin@other.test").await;
    assert_eq!(elsewhere.get("/tenant-api-keys").await.status(), 200, "another tenant is not bound by it");
}

#[tokio::test]
async fn signing_out_everywhere_clears_the_cookie() {
    let program = Program::start();
    program.tenant("acme");
    let (here, elsewhere) = (program.signed_in("member@acme.test").await, program.signed_in("member@acme.test").await);
    let answer = here.call("/console/sign_out_everywhere", &json!({})).await;
    assert_eq!(answer.status(), 200);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("latchkey_session=;") && cookie.ends_with("; Max-Age=0"), "{cookie}");
    for browser in [here, elsewhere] {
        assert_eq!(browser.get("/security").await.status(), 303);
    }
}

/// Makes all sessions of a program on PostgreSQL an hour older.
fn age_sessions(program: &Program) {
    let sql = "UPDATE session SET created_at = created_at - interval '1 hour'";
    let psql = Command::new("psql").args([&program.database_url, "--quiet", "--command", sql]).status().unwrap();
    assert!(psql.success());
}

#[test_support::requires(postgres)]
#[tokio::test]
async fn old_session_is_403_until_the_password_is_confirmed() {
    let program = Program::start_on_postgres();
    program.tenant("acme");
    let admin = program.signed_in("tenant-admin@acme.test").await;
    let people = program.command(&["person", "list", "--tenant", "acme"]);
    let member = people.as_array().unwrap().iter().find(|person| person["role"] == "member").unwrap();
    let link = json!({ "id": member["id"] });
    assert_eq!(admin.call("/console/make_password_link", &link).await.status(), 200, "signed in a moment ago");
    age_sessions(&program);
    let refused = admin.call("/console/make_password_link", &link).await;
    assert_eq!(refused.status(), 403);
    let body: serde_json::Value = refused.json().await.unwrap();
    assert_eq!(body, json!({ "step_up_required": { "needs_code": false } }));
    let wrong = admin.call("/console/confirm_identity", &json!({ "password": "a wrong password" })).await;
    assert_eq!(wrong.status(), 422);
    assert_eq!(admin.call("/console/make_password_link", &link).await.status(), 403);
    let confirmed = admin.call("/console/confirm_identity", &json!({ "password": PASSWORD })).await;
    assert_eq!(confirmed.status(), 200);
    assert_eq!(admin.call("/console/make_password_link", &link).await.status(), 200);
}

#[tokio::test]
async fn super_user_without_mfa_can_only_enroll() {
    let options = ["--admin-email", "root@example.com", "--admin-password", PASSWORD, "--super-user-mfa", "required"];
    let program = Program::start_with(&options);
    program.tenant("acme");
    let root = program.signed_in("root@example.com").await;
    for page in ["/", "/tenants", "/tenants/new"] {
        let answer = root.get(page).await;
        assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (303, &"/security".parse().unwrap()));
    }
    let tenants = program.command(&["tenant", "list"]);
    for (function, arguments) in
        [("enter_tenant", json!({ "id": tenants[0]["id"] })), ("stop_subscription", json!({ "id": tenants[0]["id"] }))]
    {
        assert_eq!(root.call(&format!("/console/{function}"), &arguments).await.status(), 403, "{function}");
    }
    for page in ["/security", "/security/second-factor"] {
        assert_eq!(root.get(page).await.status(), 200, "{page}");
    }
    assert_eq!(root.call("/console/sign_out", &json!({})).await.status().as_u16() / 100, 2);
}
