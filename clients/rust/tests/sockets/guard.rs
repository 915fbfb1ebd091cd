//! A guarded service.

use std::time::{Duration, Instant};

use axum::{
    Extension, Router,
    routing::{any, get},
};
use chrono::{TimeDelta, Utc};
use latchkey_client::{Caller, Guard, Latchkey};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use super::stub::{ASKING, Stub, good, nowhere, refused, serve};

fn guard(url: &str) -> Guard {
    Latchkey::new(url, ASKING).unwrap().guard()
}

async fn guarded(guard: Guard) -> String {
    let who = async |caller: Option<Extension<Caller>>| match caller {
        Some(Extension(caller)) => caller.key_id,
        None => "anonymous".to_owned(),
    };
    serve(Router::new().route("/open", any(who)).layer(guard).route("/health", get("well"))).await
}

async fn call(url: &str, headers: &[(&str, &str)]) -> Response {
    call_by(Method::GET, &format!("{url}/open"), headers).await
}

async fn call_by(method: Method, url: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = Client::new().request(method, url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

async fn expect_problem(response: Response, status: u16, code: &str) -> Value {
    assert_eq!(header(&response, "content-type"), "application/problem+json");
    assert_eq!(header(&response, "cache-control"), "no-store");
    assert_eq!(response.status(), status);
    let problem: Value = response.json().await.unwrap();
    assert_eq!((&problem["status"], &problem["code"]), (&json!(status), &json!(code)), "{problem}");
    assert_eq!(problem["type"], "about:blank");
    problem
}

#[tokio::test]
async fn valid_key_in_any_header_reaches_the_service() {
    let stub = Stub::start().await;
    stub.say("good", good("key_1"));
    let url = guarded(guard(&stub.url)).await;
    for line in [("authorization", "Bearer good"), ("x-api-key", "good"), ("user-api-key", "good")] {
        assert_eq!(call(&url, &[line]).await.text().await.unwrap(), "key_1", "{line:?}");
    }
    assert_eq!(call_by(Method::GET, &format!("{url}/health"), &[]).await.text().await.unwrap(), "well");
}

#[tokio::test]
async fn guard_sends_every_parameter() {
    let stub = Stub::start().await;
    stub.say("good", good("key_1"));
    let guard = guard(&stub.url)
        .permission("reservations:read")
        .property(|request| Some(request.uri.query()?.to_owned()))
        .cost(2);
    let url = guarded(guard).await;
    let headers = [("x-api-key", "good"), ("origin", "https://book.example.com")];
    assert_eq!(call_by(Method::POST, &format!("{url}/open?prp_1"), &headers).await.status(), 200);
    let expected = json!({
        "key": "good", "permission": "reservations:read", "property": "prp_1", "ip": "127.0.0.1",
        "origin": "https://book.example.com", "cost": 2,
    });
    assert_eq!(stub.questions(), [expected]);
}

#[tokio::test]
async fn client_address_comes_from_the_configured_header() {
    let stub = Stub::start().await;
    stub.say("good", good("key_1"));
    let guard = guard(&stub.url).address(|request| request.headers.get("x-real-ip")?.to_str().ok()?.parse().ok());
    let url = guarded(guard).await;
    call(&url, &[("x-api-key", "good"), ("x-real-ip", "::ffff:203.0.113.9")]).await;
    call(&url, &[("x-api-key", "good"), ("x-real-ip", "somewhere")]).await;
    assert_eq!(stub.questions(), [json!({ "key": "good", "ip": "203.0.113.9" }), json!({ "key": "good" })]);
}

#[tokio::test]
async fn missing_or_conflicting_credentials_are_rejected_locally() {
    let stub = Stub::start().await;
    stub.say("good", good("key_1"));
    let url = guarded(guard(&stub.url)).await;
    for headers in [&[][..], &[("x-api-key", "")], &[("authorization", "Basic YTpi")], &[("cookie", "x-api-key=good")]]
    {
        let response = call(&url, headers).await;
        assert_eq!(header(&response, "www-authenticate"), "Bearer realm=\"latchkey\"", "{headers:?}");
        expect_problem(response, 401, "missing_credential").await;
    }
    for headers in [
        [("x-api-key", "good"), ("x-api-key", "good")],
        [("x-api-key", "good"), ("user-api-key", "other")],
        [("authorization", "Basic YTpi"), ("x-api-key", "good")],
    ] {
        let response = call(&url, &headers).await;
        assert_eq!(header(&response, "www-authenticate"), "Bearer realm=\"latchkey\", error=\"invalid_request\"");
        expect_problem(response, 400, "conflicting_credentials").await;
    }
    assert_eq!(stub.questions(), [] as [Value; 0]);
}

#[tokio::test]
async fn refusals_are_passed_on_unchanged() {
    let stub = Stub::start().await;
    let url = guarded(guard(&stub.url).permission("reservations:write")).await;
    let invalid = "Bearer realm=\"latchkey\", error=\"invalid_token\"";
    let insufficient = "Bearer realm=\"latchkey\", error=\"insufficient_scope\", scope=\"reservations:write\"";
    for (verdict, status, code, challenge) in [
        ("MALFORMED", 401, "invalid_key", invalid),
        ("NOT_FOUND", 401, "invalid_key", invalid),
        ("REVOKED", 401, "key_revoked", invalid),
        ("EXPIRED", 401, "key_expired", invalid),
        ("DISABLED", 401, "key_disabled", invalid),
        ("IP_NOT_ALLOWED", 403, "ip_not_allowed", ""),
        ("ORIGIN_NOT_ALLOWED", 403, "origin_not_allowed", ""),
        ("INSUFFICIENT_PERMISSIONS", 403, "insufficient_scope", insufficient),
        ("PROPERTY_NOT_ALLOWED", 403, "property_not_allowed", ""),
        ("RATE_LIMITED", 429, "rate_limited", ""),
        ("SOMETHING_NEW", 403, "refused", ""),
    ] {
        let mut data = refused(verdict, status, "Do something else.");
        if status == 429 {
            data["retry_after_seconds"] = json!(12);
        }
        stub.say("bad", data);
        let response = call(&url, &[("x-api-key", "bad")]).await;
        assert_eq!(header(&response, "www-authenticate"), challenge, "{verdict}");
        assert_eq!(header(&response, "retry-after"), if status == 429 { "12" } else { "" }, "{verdict}");
        let problem = expect_problem(response, status, code).await;
        assert_eq!((&problem["detail"], &problem["request_id"]), (&json!("Do something else."), &json!("req_stub")));
    }
}

#[tokio::test]
async fn missing_answer_denies_requests() {
    let (failing, slow) = (Stub::start().await, Stub::start().await);
    failing.fail(403, json!({ "code": "insufficient_scope", "detail": "The asking key may not ask." }));
    slow.say("good", good("key_1"));
    slow.take_its_time(Duration::from_secs(60));
    let impatient = Latchkey::builder(&slow.url, ASKING).timeout(Duration::from_millis(200)).build().unwrap();
    for guard in [guard(&nowhere().await), guard(&failing.url), impatient.guard().cache(Duration::from_secs(60))] {
        let url = guarded(guard).await;
        let response = call(&url, &[("x-api-key", "good")]).await;
        assert_eq!(header(&response, "retry-after"), "1");
        let problem = expect_problem(response, 503, "unavailable").await;
        assert!(
            !problem["detail"].as_str().unwrap().contains("asking"),
            "the client must not see the verifier's error: {problem}"
        );
    }
}

#[tokio::test]
async fn oversized_key_is_a_client_error() {
    let stub = Stub::start().await;
    let url = guarded(guard(&stub.url)).await;
    let wrong = |field: &str| json!({ "field": field, "code": "wrong", "detail": "No." });
    let invalid = |errors: Value| json!({ "code": "invalid", "detail": "No.", "errors": errors });
    for (status, body, expected) in [
        (413, json!({ "code": "body_too_large", "detail": "No." }), 400),
        (422, invalid(json!([wrong("permission")])), 503),
        (422, invalid(json!([])), 503),
    ] {
        stub.fail(status, body.clone());
        let code = if expected == 400 { "invalid" } else { "unavailable" };
        expect_problem(call(&url, &[("x-api-key", "good")]).await, expected, code).await;
    }
}

#[tokio::test]
async fn only_preflights_pass_without_a_key() {
    let stub = Stub::start().await;
    let url = format!("{}/open", guarded(guard(&stub.url)).await);
    let asks = ("access-control-request-method", "GET");
    assert_eq!(call_by(Method::OPTIONS, &url, &[asks]).await.text().await.unwrap(), "anonymous");
    for (method, headers) in [(Method::OPTIONS, &[][..]), (Method::GET, &[asks]), (Method::HEAD, &[])] {
        assert_eq!(call_by(method, &url, headers).await.status(), 401);
    }
}

/// Calls before and after the key is revoked.
async fn around_a_revocation(guard: impl FnOnce(&str) -> Guard) -> (Vec<u16>, Stub, String) {
    let stub = Stub::start().await;
    stub.say("good", good("key_1"));
    let url = guarded(guard(&stub.url)).await;
    let mut statuses = vec![call(&url, &[("x-api-key", "good")]).await.status().as_u16()];
    stub.say("good", refused("REVOKED", 401, "It was revoked."));
    statuses.push(call(&url, &[("x-api-key", "good")]).await.status().as_u16());
    (statuses, stub, url)
}

#[tokio::test]
async fn revoked_key_is_rejected_from_the_next_request() {
    let (statuses, stub, _) = around_a_revocation(guard).await;
    assert_eq!((statuses, stub.questions().len()), (vec![200, 401], 2));
}

/// Calls with a revoked key until it is refused. Every call that begins after the end must be.
async fn call_until_refused(url: &str, has_ended: impl Fn() -> bool) {
    loop {
        let has_ended = has_ended();
        match call(url, &[("x-api-key", "good")]).await.status().as_u16() {
            200 => assert!(!has_ended, "it lives on for too long"),
            401 => return,
            other => panic!("{other}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn cached_key_outlives_its_revocation_by_the_ttl_at_most() {
    let long = Duration::from_secs(60);
    let (statuses, stub, _) = around_a_revocation(|url| guard(url).cache(long)).await;
    assert_eq!((statuses, stub.questions().len()), (vec![200, 200], 1));

    let lifetime = Duration::from_millis(500);
    let stub = Stub::start().await;
    stub.say("good", good("key_1"));
    let url = guarded(guard(&stub.url).cache(lifetime)).await;
    assert_eq!(call(&url, &[("x-api-key", "good")]).await.status(), 200);
    let asked = Instant::now();
    stub.say("good", refused("REVOKED", 401, "It was revoked."));
    call_until_refused(&url, || asked.elapsed() > lifetime).await;
    let questions = stub.questions().len();
    assert_eq!(call(&url, &[("x-api-key", "good")]).await.status(), 401);
    assert_eq!(stub.questions().len(), questions + 1, "refusals are not remembered");
    stub.say("good", good("key_1"));
    assert_eq!(call(&url, &[("x-api-key", "good")]).await.status(), 200);
}

#[tokio::test]
async fn cost_is_charged_every_time() {
    let long = Duration::from_secs(60);
    let (statuses, stub, _) = around_a_revocation(|url| guard(url).cache(long).cost(1)).await;
    assert_eq!((statuses, stub.questions().len()), (vec![200, 401], 2));
    let (statuses, stub, _) = around_a_revocation(|url| guard(url).cache(long).cost(0)).await;
    assert_eq!((statuses, stub.questions().len()), (vec![200, 200], 1));
}

#[tokio::test]
async fn cache_answers_identical_requests_only() {
    let stub = Stub::start().await;
    stub.say("good", good("key_1"));
    let cached = guard(&stub.url).cache(Duration::from_secs(60));
    let reading = guarded(cached.clone().permission("reservations:read")).await;
    let writing = guarded(cached.permission("reservations:write")).await;
    for (url, headers) in [
        (&reading, &[("x-api-key", "good")][..]),
        (&writing, &[("x-api-key", "good")]),
        (&reading, &[("x-api-key", "good"), ("origin", "https://book.example.com")]),
    ] {
        let asked = stub.questions().len();
        for _ in 0..3 {
            assert_eq!(call(url, headers).await.status(), 200);
        }
        assert_eq!(stub.questions().len(), asked + 1);
    }
}

#[tokio::test]
async fn cache_entry_expires_with_the_key_or_the_old_secret() {
    for what in ["expires_at", "rotation"] {
        let stub = Stub::start().await;
        let url = guarded(guard(&stub.url).cache(Duration::from_secs(60))).await;
        let end = Utc::now() + TimeDelta::seconds(2);
        let mut data = good("key_1");
        data[what] = if what == "rotation" { json!({ "retires_at": end }) } else { json!(end) };
        stub.say("good", data);
        assert_eq!(call(&url, &[("x-api-key", "good")]).await.status(), 200);
        stub.say("good", refused("EXPIRED", 401, "It has expired."));
        call_until_refused(&url, || Utc::now() >= end).await;
        assert!(Utc::now() >= end, "{what}");
    }
}
