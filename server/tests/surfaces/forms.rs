//! Forms that a browser sends by itself, without scripts.

use reqwest::{Client, Response, redirect::Policy};
use test_support::program::{PASSWORD, Program};

const REFERER: &str = "https://evil.example/phishing";

/// Sends a form as a browser without scripts does.
async fn post_form(program: &Program, path: &str, body: &str, cookie: Option<&str>) -> Response {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let request = client
        .post(format!("{}{path}", program.url))
        .header("accept", "text/html,application/xhtml+xml")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .header("origin", "null")
        .header("referer", REFERER);
    let request = cookie.into_iter().fold(request, |request, cookie| request.header("cookie", cookie));
    request.body(body.to_owned()).send().await.unwrap()
}

fn credentials(email: &str, password: &str, next: &str) -> String {
    format!("email={}&password={}&next={next}", email.replace('@', "%40"), password.replace(' ', "+"))
}

fn location(answer: &Response) -> &str {
    assert!(answer.status().is_redirection(), "{}", answer.status());
    answer.headers()["location"].to_str().unwrap()
}

#[tokio::test]
async fn failed_sign_in_form_leads_back_to_its_own_page() {
    let program = Program::start();
    program.tenant("acme");
    for (email, password) in [("tenant-admin@acme.test", "a wrong password"), ("unknown@acme.test", PASSWORD)] {
        let body = credentials(email, password, "%2Fpeople%3Fa%3Db");
        let answer = post_form(&program, "/console/sign_in", &body, None).await;
        assert_eq!(location(&answer), "/sign-in?next=%2Fpeople%3Fa%3Db&failed=1");
        assert!(answer.headers().get("set-cookie").is_none());
    }
    let page = program.stranger().get("/sign-in?next=%2Fpeople%3Fa%3Db&failed=1").await.text().await.unwrap();
    assert!(page.contains("You could not be signed in."), "{page}");
    assert!(page.contains("value=\"/people?a=b\""), "the form still leads to where it led: {page}");
    let page = program.stranger().get("/sign-in").await.text().await.unwrap();
    assert!(!page.contains("You could not be signed in."));
}

#[tokio::test]
async fn sign_in_form_leads_to_where_it_was_asked_for() {
    let program = Program::start();
    program.tenant("acme");
    let body = credentials("tenant-admin@acme.test", PASSWORD, "%2Fpeople");
    let answer = post_form(&program, "/console/sign_in", &body, None).await;
    assert_eq!(location(&answer), "/people");
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(location(&post_form(&program, "/console/sign_out", "", Some(&cookie)).await), "/sign-in");
}

#[tokio::test]
async fn plain_form_never_leads_to_its_referer() {
    let program = Program::start();
    program.tenant("acme");
    let key = program.key("acme", "PMS");
    let admin = program.signed_in("tenant-admin@acme.test").await;
    for (function, body) in [
        ("sign_in", "nonsense".to_owned()),
        ("revoke_key", "nonsense".to_owned()),
        ("revoke_key", serde_json::json!({ "of": "tenant", "id": key["id"] }).to_string()),
        ("sign_out_everywhere", "{}".to_owned()),
    ] {
        let answer = post_form(&program, &format!("/console/{function}"), &body, admin.cookie.as_deref()).await;
        let location = location(&answer);
        assert!(location.starts_with('/') && !location.contains("evil"), "{function}: {location}");
    }
}

#[tokio::test]
async fn sign_in_does_not_redirect_to_a_path_with_control_characters() {
    let program = Program::start();
    program.tenant("acme");
    for next in ["%2F%01", "%2Fpeople%0D%0AX-Evil%3A+1", "%2F%7F", "%2F%C2%85"] {
        let body = credentials("tenant-admin@acme.test", PASSWORD, next);
        let answer = post_form(&program, "/console/sign_in", &body, None).await;
        assert_eq!(location(&answer), "/", "{next}");
        assert!(answer.headers().get("x-evil").is_none() && answer.headers().contains_key("set-cookie"), "{next}");
        let page = program.stranger().get(&format!("/sign-in?next={next}")).await;
        assert_eq!(page.status(), 200, "{next}");
    }
    let admin = program.signed_in("tenant-admin@acme.test").await;
    assert_eq!(location(&admin.get("/sign-in?next=%2F%01").await), "/", "also with a session");
}
