//! Asking.

use std::time::{Duration, Instant};

use axum::{Router, response::Redirect};
use latchkey_client::{Answer, Error, Latchkey, Verdict, VerifyRequest};
use serde_json::json;

use super::stub::{ASKING, Stub, good, nowhere, refused, serve};

fn latchkey(stub: &Stub) -> Latchkey {
    Latchkey::new(&stub.url, ASKING).unwrap()
}

#[tokio::test]
async fn valid_and_invalid_keys_are_told_apart() {
    let stub = Stub::start().await;
    stub.say("good", good("key_1"));
    stub.say("old", refused("REVOKED", 401, "Generate another."));
    let latchkey = latchkey(&stub);
    let Answer::Valid(caller) = latchkey.verify(&VerifyRequest::new("good")).await.unwrap() else {
        panic!("it is good")
    };
    assert_eq!((caller.key_id.as_str(), caller.tenant.id.as_str()), ("key_1", "ten_1"));
    let Answer::Refused(refusal) = latchkey.verify(&VerifyRequest::new("old")).await.unwrap() else {
        panic!("it is not good")
    };
    assert_eq!(
        (refusal.verdict, refusal.status, refusal.message.as_str()),
        (Verdict::Revoked, 401, "Generate another.")
    );
    assert_eq!(refusal.request_id, "req_stub");
}

#[tokio::test]
async fn unreachable_latchkey_is_an_error() {
    let url = nowhere().await;
    let error = Latchkey::new(&url, ASKING).unwrap().verify(&VerifyRequest::new("good")).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(&url), "{error}");
}

#[tokio::test]
async fn slow_latchkey_times_out() {
    let stub = Stub::start().await;
    stub.take_its_time(Duration::from_secs(60));
    let latchkey = Latchkey::builder(&stub.url, ASKING).timeout(Duration::from_millis(200)).build().unwrap();
    let start = Instant::now();
    let error = latchkey.verify(&VerifyRequest::new("good")).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
    assert!(error.to_string().contains("200ms"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let stub = Stub::start().await;
    stub.say("good", good("key_1"));
    let elsewhere = format!("{}/api/v1/keys/verify", stub.url);
    let url = serve(Router::new().fallback(async move || Redirect::temporary(&elsewhere))).await;
    let error = Latchkey::new(&url, ASKING).unwrap().verify(&VerifyRequest::new("good")).await.unwrap_err();
    assert!(matches!(error, Error::NotLatchkey { .. }), "{error:?}");
    assert_eq!(stub.questions().len(), 0);
}

#[tokio::test]
async fn verifier_errors_say_what_to_do() {
    let stub = Stub::start().await;
    stub.say("good", good("key_1"));
    let problem = |code: &str| json!({ "code": code, "detail": "Do this.", "request_id": "req_9" });
    for (status, body, expected) in [
        (401, problem("key_revoked"), "Do this. (401 key_revoked, request req_9)"),
        (403, problem("insufficient_scope"), "Do this. (403 insufficient_scope, request req_9)"),
        (422, problem("invalid"), "Do this. (422 invalid, request req_9)"),
        (503, problem("unavailable"), "retry in 7s (request req_9)"),
        (503, json!("Bad gateway"), "retry in 7s"),
        (404, json!("nothing here"), "check the URL"),
        (302, json!(null), "check the URL"),
        (200, json!({ "hello": "world" }), "check the URL"),
        (200, json!({ "data": { "valid": true, "code": "VALID" } }), "check the URL"),
        (200, json!({ "data": { "valid": true, "code": "REVOKED" } }), "its response is no verdict"),
    ] {
        stub.fail(status, body);
        let error = latchkey(&stub).verify(&VerifyRequest::new("good")).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{status}: {error}");
        assert!(!format!("{error:?}").contains(ASKING));
    }
}

#[tokio::test]
async fn echoed_request_is_not_quoted() {
    let stub = Stub::start().await;
    let key = "lk_tk_abc";
    stub.fail(200, json!({ "data": format!("{{\"key\":\"{key}\"}}") }));
    let error = latchkey(&stub).verify(&VerifyRequest::new(key)).await.unwrap_err();
    assert!(matches!(error, Error::NotLatchkey { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains(key), "{error:?}");
}
