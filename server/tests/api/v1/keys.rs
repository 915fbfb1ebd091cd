//! `POST /keys/verify` and `POST /keys/introspect`

use reqwest::Method;
use serde_json::{Value, json};
use test_support::{
    program::{PASSWORD, draft},
    test_app::{Answer, Base, Key, NO_SUCH_ID, TestApp, day, with},
};

const VERIFY: &str = "/api/v1/keys/verify";
const INTROSPECT: &str = "/api/v1/keys/introspect";
const FORM: &str = "application/x-www-form-urlencoded";

fn verifier(app: &TestApp) -> Key {
    app.key(&["--group", "Verifier", "--scope", "read", "--rate-limit", "2"])
}

async fn verify(app: &TestApp, by: &Key, question: &Value) -> Value {
    let answer = app.post(VERIFY, &by.secret, question).await;
    let body = answer.good();
    assert_eq!(body["meta"]["request_id"], answer.header("x-request-id"));
    body["data"].clone()
}

/// The verdict, what to answer the client, and what is said.
async fn refused(app: &TestApp, by: &Key, question: &Value, code: &str, status: u16, words: &str) -> Value {
    let data = verify(app, by, question).await;
    assert_eq!((&data["valid"], &data["code"]), (&json!(false), &json!(code)), "{question} {data}");
    assert_eq!(data["http_status"], status, "{data}");
    assert!(data["message"].as_str().unwrap().contains(words), "{data}");
    data
}

async fn introspect(app: &TestApp, by: &Key, form: &str) -> Answer {
    let headers = [("x-api-key", by.secret.as_str()), ("content-type", FORM)];
    app.post_with(INTROSPECT, &headers, form.to_owned()).await
}

fn names(data: &Value) -> Vec<&str> {
    data.as_object().unwrap().keys().map(String::as_str).collect()
}

async fn valid_key_is_described(base: Base) {
    let app = base.start();
    let by = verifier(&app);
    let harbour = app.property("acme", "Harbour House");
    let expires = format!("{}T00:00:00Z", day(40));
    let words = ["--group", "Read only", "--scope", "read", "--property", &harbour, "--expires", &expires];
    let key = app.key(&words);
    let mut data = verify(&app, &by, &json!({ "key": key.secret })).await;
    assert!(data["tenant"]["id"].take().as_str().unwrap().starts_with("ten_"));
    assert!((1..=60).contains(&data["rate_limit"]["reset_seconds"].take().as_u64().unwrap()));
    let expected = json!({
        "valid": true, "code": "VALID", "key_id": key.id, "name": "PMS", "kind": "tenant",
        "tenant": { "id": null, "slug": "acme" }, "owner": null, "group": "Read only", "scopes": ["read"],
        "permissions": ["*:read"], "effective_permissions": ["*:read"], "all_properties": false, "properties": [harbour], "expires_at": expires,
        "rate_limit": { "limit": 60, "remaining": 59, "reset_seconds": null }, "rotation": null,
    });
    assert_eq!(data, expected);
    let rotated = app.rotate(&key, &["--grace", "1h"]);
    let old = verify(&app, &by, &json!({ "key": key.secret })).await;
    assert!(old["rotation"]["retires_at"].is_string() && old["valid"] == true, "{old}");
    let new = verify(&app, &by, &json!({ "key": rotated.secret })).await;
    assert!(new["rotation"].is_null() && new["valid"] == true, "{new}");
}

async fn every_verdict_is_returned(base: Base) {
    let app = base.start();
    let by = verifier(&app);
    let (harbour, old_town) = (app.property("acme", "Harbour House"), app.property("acme", "Old Town"));
    let key = app.key(&["--scope", "read", "--property", &harbour, "--rate-limit", "1000"]);
    let secret = &key.secret;
    let lacks = json!({ "key": secret, "permission": "reservations:write" });
    refused(&app, &by, &lacks, "INSUFFICIENT_PERMISSIONS", 403, "Write").await;
    for property in [&old_town, &format!("prp_{NO_SUCH_ID}")] {
        let question = json!({ "key": secret, "property": property });
        refused(&app, &by, &question, "PROPERTY_NOT_ALLOWED", 403, "property").await;
    }
    let good =
        json!({ "key": secret, "permission": "reservations:read", "property": harbour, "ip": null, "cost": null });
    assert_eq!(verify(&app, &by, &good).await["valid"], true);

    app.edit(&key, &["--ip", "203.0.113.0/24"]);
    refused(&app, &by, &json!({ "key": secret }), "IP_NOT_ALLOWED", 403, "Send your client's address as ip").await;
    let from = |ip: &str| json!({ "key": secret, "ip": ip });
    refused(&app, &by, &from("127.0.0.1"), "IP_NOT_ALLOWED", 403, "127.0.0.1").await;
    for ip in ["203.0.113.9", "::ffff:203.0.113.9"] {
        assert_eq!(verify(&app, &by, &from(ip)).await["valid"], true);
    }

    let page = app.key(&["--origin", "https://book.acme.test"]);
    for (origin, is_good) in
        [("https://BOOK.acme.test:443", true), ("https://evil.test", false), ("null", false), ("app://book", false)]
    {
        let data = verify(&app, &by, &json!({ "key": page.secret, "origin": origin })).await;
        assert_eq!(data["code"], if is_good { "VALID" } else { "ORIGIN_NOT_ALLOWED" }, "{origin}");
    }
    refused(&app, &by, &json!({ "key": page.secret }), "ORIGIN_NOT_ALLOWED", 403, "origin").await;

    let expired = app.key(&[]);
    let past = format!("UPDATE api_key SET expires_at = '2026-01-01 00:00:00' WHERE id = '{}'", expired.id);
    app.change_database(&past.replace("'2026-01-01 00:00:00'", "'2026-01-01 00:00:00+00:00'")).await;
    refused(&app, &by, &json!({ "key": expired.secret }), "EXPIRED", 401, "2026-01-01").await;
    app.revoke(&key);
    let data = refused(&app, &by, &json!({ "key": secret }), "REVOKED", 401, "revoked").await;
    assert_eq!(data["key_id"], key.id.as_str(), "the verifier learns which key it was");
    app.program.command(&["tenant", "set", "--slug", "acme", "--api-keys", "off"]);
    app.post(VERIFY, &by.secret, &json!({ "key": page.secret })).await.refused(401, "key_disabled");
}

async fn foreign_key_is_not_found_by_a_verifier(base: Base) {
    let app = base.start();
    let by = verifier(&app);
    app.program.command(&["tenant", "create", "--slug", "other", "--name", "Other"]);
    let foreign = app.key_of("other", &["--ip", "203.0.113.9"]);
    let deleted = app.key(&[]);
    app.program.command(&["key", "delete", &deleted.id]);
    let mut verdict = Vec::new();
    for secret in [&foreign.secret, &deleted.secret] {
        let data = refused(&app, &by, &json!({ "key": secret }), "NOT_FOUND", 401, "does not exist").await;
        assert_eq!(names(&data), ["code", "http_status", "message", "valid"]);
        verdict.push(data);
    }
    assert_eq!(verdict[0], verdict[1], "foreign is told from missing");
    let broken = format!("{}x", foreign.secret);
    let data = refused(&app, &by, &json!({ "key": broken }), "MALFORMED", 401, "mistyped").await;
    assert_eq!(names(&data), ["code", "http_status", "message", "valid"]);
    // A verifier does not guess, so it is not throttled for unknown keys.
    for _ in 0..50 {
        refused(&app, &by, &json!({ "key": deleted.secret }), "NOT_FOUND", 401, "does not exist").await;
    }
    let used = format!("SELECT CAST(COUNT(*) AS TEXT) FROM usage_hour WHERE api_key_id = '{}'", foreign.id);
    app.see(&counts(&by), &["VALID 53".to_owned()]).await;
    assert_eq!(app.texts(&used).await, ["0"], "the foreign key's log shows nothing");
}

fn counts(key: &Key) -> String {
    format!(
        "SELECT outcome || ' ' || CAST(SUM(count) AS TEXT) FROM usage_hour WHERE api_key_id = '{}' \
         GROUP BY outcome ORDER BY outcome",
        key.id
    )
}

async fn verification_is_free_and_charges_the_verified_key(base: Base) {
    let app = base.start();
    let by = verifier(&app);
    let key = app.key(&["--rate-limit", "10"]);
    let ask = |cost: u16| json!({ "key": key.secret, "cost": cost });
    for (cost, left) in [(4, 6), (0, 6), (1, 5), (5, 0), (0, 0)] {
        let data = verify(&app, &by, &ask(cost)).await;
        assert_eq!((&data["code"], &data["rate_limit"]["remaining"]), (&json!("VALID"), &json!(left)), "{data}");
    }
    let data = refused(&app, &by, &ask(1), "RATE_LIMITED", 429, "10 a minute").await;
    assert!((1..=60).contains(&data["retry_after_seconds"].as_u64().unwrap()), "{data}");
    let data = refused(&app, &by, &ask(11), "RATE_LIMITED", 429, "this call costs").await;
    assert!(data.get("retry_after_seconds").is_none(), "waiting does not help: {data}");
    let answer = app.post(VERIFY, &by.secret, &ask(0)).await;
    assert_eq!(answer.quota().0, 2, "the asking key has all that it had");
    let own = app.get("/api/v1/key", &by.secret).await;
    assert_eq!(own.quota().0, 1);
    assert_eq!(verify(&app, &by, &json!({ "key": by.secret })).await["valid"], true, "asking about oneself");
}

async fn all_invalid_fields_are_reported(base: Base) {
    let app = base.start();
    let by = verifier(&app);
    for (body, wrong) in [
        (json!({}), &["key required"][..]),
        (json!({ "key": 7, "cost": "1" }), &["key wrong_type", "cost wrong_type"]),
        (
            json!({ "permission": "Reservations", "property": 7, "ip": 1, "origin": [], "cost": 1001, "ipp": 1 }),
            &[
                "key required",
                "permission malformed",
                "property wrong_type",
                "ip wrong_type",
                "origin wrong_type",
                "cost out_of_range",
                "ipp unknown",
            ],
        ),
        (json!({ "key": "x", "cost": -1 }), &["cost wrong_type"]),
        (json!({ "key": "x", "cost": 65536 }), &["cost out_of_range"]),
        (json!({ "key": "x", "nothing": null }), &["nothing unknown"]),
    ] {
        let answer = app.post(VERIFY, &by.secret, &body).await;
        assert_eq!(answer.refused(422, "invalid").wrong_fields(), wrong, "{body}");
    }
    let headers = [("x-api-key", by.secret.as_str()), ("content-type", "application/json")];
    app.post_with(VERIFY, &headers, "{").await.refused(400, "malformed_body");
    let values = json!([by.secret, null, null, null, null, 1]).to_string();
    for no_object in ["[]", "7", &values] {
        app.post_with(VERIFY, &headers, no_object.to_owned()).await.refused(422, "invalid");
    }
    app.post_with(VERIFY, &headers[..1], "{}").await.refused(415, "unsupported_media_type");
    app.post_with(VERIFY, &headers, "x".repeat(70_000)).await.refused(413, "body_too_large");
}

async fn malformed_client_values_get_a_verdict(base: Base) {
    let app = base.start();
    let by = verifier(&app);
    let key = app.key(&["--ip", "203.0.113.0/24", "--rate-limit", "10"]);
    let ask = |field: &str, value: &str| json!({ "key": key.secret, "ip": "203.0.113.9", field: value });
    for (field, value) in
        [("ip", "1.2.3"), ("ip", ""), ("ip", "unknown"), ("origin", "book"), ("origin", ""), ("property", "7")]
    {
        let data = refused(&app, &by, &ask(field, value), "INVALID_REQUEST", 400, "Send ").await;
        assert_eq!(names(&data), ["code", "http_status", "message", "valid"], "{field} {value}");
    }
    for ip in ["203.0.113.9:443", "[::ffff:203.0.113.9]", "[::ffff:203.0.113.9]:443"] {
        assert_eq!(verify(&app, &by, &ask("ip", ip)).await["valid"], true, "{ip}");
    }
    let metrics = app.get_with("/metrics", &[]).await.text;
    assert!(metrics.contains("latchkey_verdicts_total{verdict=\"INVALID_REQUEST\"} 6\n"), "{metrics}");
}

async fn effective_permissions_are_what_the_scopes_leave(base: Base) {
    let app = base.start();
    let by = verifier(&app);
    for (words, effective) in [
        (&[][..], json!(["*"])),
        (&["--scope", "read"], json!(["*:read", "keys:verify"])),
        (&["--group", "Read only", "--scope", "write"], json!([])),
    ] {
        let key = app.key(words);
        let data = verify(&app, &by, &json!({ "key": key.secret })).await;
        assert_eq!(data["effective_permissions"], effective, "{words:?}");
    }
}

async fn only_verifiers_are_answered(base: Base) {
    let app = base.start();
    let key = app.key(&[]);
    for (path, kind, body) in
        [(VERIFY, "application/json", "nonsense"), (INTROSPECT, FORM, ""), (VERIFY, "text/plain", "{}")]
    {
        let kind = ("content-type", kind);
        app.post_with(path, &[kind], body).await.refused(401, "missing_credential");
        for poor in [app.key(&["--group", "Read only", "--scope", "write"]), app.key_with_permission("keys:edit")] {
            let answer = app.post_with(path, &[kind, ("x-api-key", &poor.secret)], body).await;
            answer.refused(403, "insufficient_scope").says("keys:verify");
        }
        let answer = Answer::to(app.request(Method::GET, path).bearer_auth(&key.secret)).await;
        answer.refused(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), "POST");
    }
    for reader in [app.key(&["--scope", "read"]), verifier(&app)] {
        assert_eq!(verify(&app, &reader, &json!({ "key": key.secret })).await["valid"], true);
    }
}

async fn introspection_of_inactive_key_says_nothing_else(base: Base) {
    let app = base.start();
    let by = verifier(&app);
    let key = app.key(&["--rate-limit", "1"]);
    let limited = app.key(&["--ip", "203.0.113.0/24"]);
    let revoked = app.key(&[]);
    app.revoke(&revoked);
    app.program.command(&["tenant", "create", "--slug", "other", "--name", "Other"]);
    let foreign = app.key_of("other", &[]);
    for token in [&limited.secret, &revoked.secret, &foreign.secret, "nonsense", "", "%00%ff"] {
        let answer = introspect(&app, &by, &format!("token={token}")).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"active":false}"#), "{token}");
    }
    for form in ["", "tokens=x", "token=a&token=b"] {
        let answer = introspect(&app, &by, form).await;
        assert_eq!(answer.refused(422, "invalid").wrong_fields().len(), 1, "{form}");
    }
    let json = [("x-api-key", by.secret.as_str()), ("content-type", "application/json")];
    let answer = app.post_with(INTROSPECT, &json, "{}").await;
    answer.refused(415, "unsupported_media_type").says("x-www-form-urlencoded");
    for _ in 0..3 {
        let form = format!("token_type_hint=access_token&other=1&token={}", key.secret);
        let body = introspect(&app, &by, &form).await.good();
        assert_eq!(names(&body), ["active", "client_id", "iat", "iss", "scope", "sub", "token_type"]);
        assert_eq!((&body["active"], &body["client_id"]), (&json!(true), &json!(key.id)));
        assert_eq!((&body["iss"], &body["token_type"]), (&json!(app.program.url), &json!("api_key")));
        let scope: Vec<&str> = body["scope"].as_str().unwrap().split(' ').collect();
        assert!(scope.contains(&"reservations:write") && scope.contains(&"keys:verify"), "{scope:?}");
        assert!(body["sub"].as_str().unwrap().starts_with("ten_"));
    }
    assert_eq!(app.get("/api/v1/key", &key.secret).await.status, 200, "nothing was taken from its limit");
}

async fn introspection_returns_effective_scope_and_expiry(base: Base) {
    let app = base.start();
    let by = verifier(&app);
    for (words, scope) in [
        (
            &["--group", "Read only"][..],
            "availability:read invoices:read packages:read properties:read reservations:read services:read",
        ),
        (&["--scope", "write"], "reservations:write"),
        (&["--group", "Read only", "--scope", "write"], ""),
    ] {
        app.key_with_permission("invoices:read");
        let key = app.key(words);
        let body = introspect(&app, &by, &format!("token={}", key.secret)).await.good();
        assert_eq!(body["scope"], scope, "{words:?}");
    }
    let expires = format!("{}T00:00:00Z", day(40));
    let key = app.key(&["--expires", &expires]);
    let token = format!("token={}", key.secret);
    let seconds = chrono::DateTime::parse_from_rfc3339(&expires).unwrap().timestamp();
    let before = introspect(&app, &by, &token).await.good();
    assert_eq!(before["exp"], seconds);
    let issued = before["iat"].as_i64().unwrap();
    assert!((chrono::Utc::now().timestamp() - issued).abs() < 60, "{issued}");
    let new = app.rotate(&key, &["--grace", "1h"]);
    let old = introspect(&app, &by, &token).await.good();
    let retires = old["exp"].as_i64().unwrap() - chrono::Utc::now().timestamp();
    assert!((3_500..=3_600).contains(&retires), "{retires}: the secret ends before the key");
    assert_eq!(introspect(&app, &by, &format!("token={}", new.secret)).await.good()["exp"], seconds);
}

async fn introspection_accepts_oauth_client_authentication(base: Base) {
    let app = base.start();
    let (by, key, poor) = (verifier(&app), app.key(&[]), app.key(&["--group", "Read only"]));
    let token = format!("token={}", key.secret);
    let basic = |user: &str, secret: &str| app.request(Method::POST, INTROSPECT).basic_auth(user, Some(secret));
    let form = |request: reqwest::RequestBuilder, body: String| request.header("content-type", FORM).body(body);
    let posted = |secret: &str| {
        form(app.request(Method::POST, INTROSPECT), format!("{token}&client_id=any&client_secret={secret}"))
    };
    for request in [
        form(basic(&by.id, &by.secret), token.clone()),
        form(basic("any", &by.secret), token.clone()),
        // Encoded like a form, as RFC 6749 demands.
        form(basic("any", &by.secret.replace('_', "%5F")), token.clone()),
        posted(&by.secret),
    ] {
        assert_eq!(Answer::to(request).await.good()["client_id"], key.id);
    }
    let password = PASSWORD;
    for (request, challenge) in [
        (form(basic(&by.id, "nonsense"), token.clone()), "Basic"),
        (form(basic("ana@acme.test", password), token.clone()), "Basic"),
        (posted("nonsense"), "Bearer"),
    ] {
        let answer = Answer::to(request).await;
        assert_eq!((answer.status, answer.header("content-type")), (401, "application/json"));
        assert!(answer.header("www-authenticate").starts_with(challenge), "{}", answer.header("www-authenticate"));
        let body = answer.json();
        assert_eq!(body["error"], "invalid_client", "{body}");
    }
    Answer::to(form(basic("any", &poor.secret), token.clone())).await.refused(403, "insufficient_scope");
    let twice = form(basic("any", &by.secret), format!("{token}&client_secret={}", by.secret));
    Answer::to(twice).await.refused(400, "conflicting_credentials");
}

async fn introspection_names_the_owner_of_a_personal_key(base: Base) {
    let app = base.start();
    let by = verifier(&app);
    let ana = app.person("ana", "tenant-admin");
    let browser = app.program.signed_in("ana@acme.test").await;
    let body = json!({ "of": "oneself", "draft": draft("Mine", ""), "expiration": "never" });
    let created: Value = browser.call("/console/generate_key", &body).await.json().await.unwrap();
    let body = introspect(&app, &by, &format!("token={}", created["secret"].as_str().unwrap())).await.good();
    assert_eq!((&body["sub"], &body["username"]), (&json!(ana), &json!("ana")), "{body}");
}

async fn metadata_leads_to_introspection(base: Base) {
    let app = base.start();
    let body = app.get_with("/.well-known/oauth-authorization-server", &[]).await.good();
    assert_eq!((&body["issuer"], &body["response_types_supported"]), (&json!(app.program.url), &json!([])));
    assert_eq!(body["introspection_endpoint"], format!("{}{INTROSPECT}", app.program.url));
    let methods = body["introspection_endpoint_auth_methods_supported"].as_array().unwrap();
    assert!(methods.contains(&json!("client_secret_basic")) && methods.contains(&json!("client_secret_post")));
}

async fn both_keys_log_the_verification(base: Base) {
    let app = base.start();
    let by = verifier(&app);
    let key = app.key(&["--scope", "read", "--rate-limit", "1"]);
    let ask = |more: Value| {
        let mut question = json!({ "key": key.secret });
        question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        question
    };
    for more in
        [json!({ "ip": "::ffff:203.0.113.9" }), json!({}), json!({ "permission": "a:write", "ip": "203.0.113.8" })]
    {
        verify(&app, &by, &ask(more)).await;
    }
    let with_slash = with(app.request(Method::POST, &format!("{INTROSPECT}/")), &[("content-type", FORM)]);
    Answer::to(with_slash.bearer_auth(&by.secret).body(format!("token={}", key.secret))).await.good();
    let events = |key: &Key| {
        format!(
            "SELECT method || ' ' || route || ' ' || CAST(status AS TEXT) || ' ' || outcome || ' ' || COALESCE(ip, '-') \
             FROM usage_event WHERE api_key_id = '{}' ORDER BY id",
            key.id
        )
    };
    let expected = [
        "POST /api/v1/keys/verify 200 VALID 203.0.113.9",
        "POST /api/v1/keys/verify 429 RATE_LIMITED -",
        "POST /api/v1/keys/verify 403 INSUFFICIENT_PERMISSIONS 203.0.113.8",
        "POST /api/v1/keys/introspect 200 VALID -",
    ];
    app.see(&events(&key), &expected.map(str::to_owned)).await;
    let own = ["verify", "verify", "verify", "introspect"];
    let own = own.map(|call| format!("POST /api/v1/keys/{call} 200 VALID 127.0.0.1"));
    app.see(&events(&by), &own).await;
    let last = format!("SELECT COALESCE(last_used_ip, '-') FROM api_key WHERE id = '{}'", key.id);
    assert_eq!(app.texts(&last).await, ["-"], "introspect got no client address, and must not log the verifier's");
    let metrics = app.get_with("/metrics", &[]).await.text;
    for (verdict, times) in [("VALID", 6), ("RATE_LIMITED", 1), ("INSUFFICIENT_PERMISSIONS", 1)] {
        assert!(metrics.contains(&format!("latchkey_verdicts_total{{verdict=\"{verdict}\"}} {times}\n")), "{metrics}");
    }
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    valid_key_is_described,
    every_verdict_is_returned,
    foreign_key_is_not_found_by_a_verifier,
    verification_is_free_and_charges_the_verified_key,
    all_invalid_fields_are_reported,
    malformed_client_values_get_a_verdict,
    effective_permissions_are_what_the_scopes_leave,
    only_verifiers_are_answered,
    introspection_of_inactive_key_says_nothing_else,
    introspection_returns_effective_scope_and_expiry,
    introspection_accepts_oauth_client_authentication,
    introspection_names_the_owner_of_a_personal_key,
    metadata_leads_to_introspection,
    both_keys_log_the_verification,
}
