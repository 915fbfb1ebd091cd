//! The members of every refusal, on every surface.

use reqwest::Method;
use test_support::test_app::{Answer, Base};

async fn unknown_path_is_a_problem(base: Base) {
    let app = base.start();
    let key = app.key(&[]);
    for path in
        ["/api/v1/nowhere", "/api/v2/key", "/api/x", "/api/v1/key/more", "/api/v1/properties/x/y", "/api/v1/%ff"]
    {
        app.get(path, &key.secret).await.refused(404, "not_found").says("/docs");
    }
    for (method, path, allowed) in [
        (Method::POST, "/api/v1/key", "GET,HEAD"),
        (Method::PUT, "/api/v1/reservations", "GET,HEAD,POST"),
        (Method::PATCH, "/api/v1/reservations/", "GET,HEAD,POST"),
        (Method::GET, "/api/v1/auth/token", "POST"),
        (Method::from_bytes(b"EXPLODE").unwrap(), "/api/v1/key", "GET,HEAD"),
    ] {
        let answer = Answer::to(app.request(method, path)).await;
        answer.refused(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), allowed, "{path}");
    }
}

async fn path_that_is_not_utf8_is_not_found(base: Base) {
    let app = base.start();
    let key = app.key(&[]);
    for path in [
        "/api/%ff",
        "/api/v1/properties/%ff",
        "/api/v1/properties/%ff/",
        "/api/v1/reservations/%ff",
        "/api/v1/reservations/res_%c3%28",
    ] {
        app.get(path, &key.secret).await.refused(404, "not_found");
    }
    let page = app.get_with("/problems/%ff", &[]).await;
    assert_eq!((page.status, page.header("content-type")), (404, "text/html; charset=utf-8"));
}

async fn repeated_json_field_is_refused(base: Base) {
    let app = base.start();
    let key = app.key(&["--rate-limit", "1000"]);
    let verifier = app.key(&["--group", "Verifier"]);
    let secret = &key.secret;
    let headers = |secret| [("x-api-key", secret), ("content-type", "application/json")];
    for (path, credential, body, wrong) in [
        ("/api/v1/keys/verify", &verifier, format!(r#"{{"key":"{secret}","key":"x"}}"#), &["key sent_twice"][..]),
        (
            "/api/v1/keys/verify",
            &verifier,
            format!(r#"{{"key":"{secret}","cost":1,"c\u006fst":0}}"#),
            &["cost sent_twice"],
        ),
        (
            "/api/v1/reservations",
            &key,
            r#"{"units":1,"units":2,"guest":{"name":"a","name":"b"}}"#.to_owned(),
            &["units sent_twice", "guest.name sent_twice"],
        ),
        (
            "/api/v1/reservations",
            &key,
            r#"{"property_id":"a","property_id":"b"}"#.to_owned(),
            &["property_id sent_twice"],
        ),
        (
            "/api/v1/auth/token",
            &key,
            r#"{"email":"a","password":"b","password":"c"}"#.to_owned(),
            &["password sent_twice"],
        ),
    ] {
        let answer = app.post_with(path, &headers(credential.secret.as_str()), body).await;
        assert_eq!(answer.refused(422, "invalid").wrong_fields(), wrong, "{path}");
    }
}

async fn valid_request_id_is_returned(base: Base) {
    let app = base.start();
    for (name, is_kept) in [
        ("abc-1.2_3:4", true),
        ("7f9c1d1e-4b0a-4c52-9f3e-2a1f4e8b6c7d", true),
        (&"x".repeat(64), true),
        (&"x".repeat(65), false),
        ("two words", false),
        ("", false),
        ("{}", false),
        ("lk_tk_0123456789ABCDEF", false),
    ] {
        let answer = app.get_with("/api/v1/key", &[("x-request-id", name)]).await;
        answer.refused(401, "missing_credential");
        assert_eq!(answer.header("x-request-id") == name, is_kept, "{name}");
        assert!(is_kept || answer.header("x-request-id").starts_with("req_"), "{name}");
    }
    let key = app.key(&[]);
    let good = app.get_with("/api/v1/key", &[("x-api-key", &key.secret), ("x-request-id", "mine")]).await;
    assert_eq!((good.status, good.header("x-request-id")), (200, "mine"));
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    unknown_path_is_a_problem,
    path_that_is_not_utf8_is_not_found,
    repeated_json_field_is_refused,
    valid_request_id_is_returned,
}
