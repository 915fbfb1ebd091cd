//! `POST /auth/token`, and the old ways that it belongs to: Basic and JWT.

use std::{collections::BTreeMap, iter::repeat_n};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use chacha20poly1305::{
    XChaCha20Poly1305,
    aead::{Aead, Payload},
};
use futures::future::join_all;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use test_support::{
    program::PASSWORD,
    test_app::{Answer, Base, TestApp, stay, text},
};

const TOKEN: &str = "/api/v1/auth/token";
const KEY: &str = "/api/v1/key";
const PROPERTIES: &str = "/api/v1/properties";
const ANA: &str = "ana@acme.test";

fn basic(email: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{email}:{password}")))
}

fn is_deprecated(app: &TestApp, answer: &Answer, sunset: &str) {
    assert_eq!(answer.header("deprecation"), "@1782864000");
    assert_eq!(answer.header("sunset"), sunset);
    let link = format!("<{}/docs/migrate>; rel=\"deprecation\"; type=\"text/html\"", app.program.url);
    assert_eq!(answer.header("link"), link);
    assert!(!answer.headers.contains_key("ratelimit"), "people have no limit of a key's");
}

const SUNSET: &str = "Wed, 30 Jun 2027 23:59:59 GMT";

/// Calls with a value of `Authorization`.
async fn call(app: &TestApp, path: &str, authorization: &str) -> Answer {
    let answer = app.get_with(path, &[("authorization", authorization)]).await;
    is_deprecated(app, &answer, SUNSET);
    answer
}

async fn ask_for_token(app: &TestApp, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password }).to_string();
    let answer = app.post_with(TOKEN, &[("content-type", "application/json")], body).await;
    is_deprecated(app, &answer, SUNSET);
    answer
}

async fn token(app: &TestApp) -> String {
    text(&ask_for_token(app, ANA, PASSWORD).await.good()["access_token"])
}

async fn admin_has_full_access_by_legacy_authentication(base: Base) {
    let app = base.start();
    let id = app.person("ana", "tenant-admin");
    let member = app.person("ben", "member");
    let harbour = app.property("acme", "Harbour House");
    let service = app.service("acme", &harbour, "Double room", 5);
    let issued = ask_for_token(&app, ANA, PASSWORD).await;
    assert_eq!((issued.status, issued.header("cache-control")), (200, "no-store"));
    let issued = issued.json();
    assert_eq!((&issued["token_type"], &issued["expires_in"]), (&json!("Bearer"), &json!(3600)));
    let bearer = format!("bearer {}", text(&issued["access_token"]));
    for authorization in [&basic(ANA, PASSWORD), &basic("ANA@acme.test", PASSWORD), &bearer] {
        let found = call(&app, KEY, authorization).await.good();
        assert_eq!((&found["id"], &found["kind"]), (&json!(id), &json!("person")));
        assert_eq!((&found["permissions"], &found["all_properties"]), (&json!(["*"]), &json!(true)));
        assert_eq!((&found["rate_limit"], &found["name"]), (&Value::Null, &Value::Null));
        assert_eq!(call(&app, PROPERTIES, authorization).await.good()["data"][0]["id"], json!(harbour));
        let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
        let body = stay(&harbour, &service).to_string();
        let made = app.post_with("/api/v1/reservations", &headers, body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        is_deprecated(&app, &made, SUNSET);
        call(&app, "/api/v1/properties/x", authorization).await.refused(404, "not_found");
    }
    let of_member = basic("ben@acme.test", PASSWORD);
    assert_eq!(call(&app, KEY, &of_member).await.good()["permissions"], json!([]));
    call(&app, PROPERTIES, &of_member).await.refused(403, "insufficient_scope").says("Use an API key");

    let counts = "SELECT person_id || ' ' || method || ' ' || CAST(count AS TEXT) FROM legacy_use ORDER BY 1";
    // Four calls each, of which Basic was spelled in two ways.
    let mut expected = vec![format!("{id} basic 8"), format!("{id} jwt 4"), format!("{member} basic 2")];
    expected.sort();
    app.see(counts, &expected).await;
    let good = app.get(KEY, &app.key(&[]).secret).await;
    assert_eq!((good.header("deprecation"), good.header("sunset"), good.header("link")), ("", "", ""), "a key is not");
}

async fn wrong_passwords_and_forged_tokens_are_rejected(base: Base) {
    let app = base.start();
    app.person("ana", "tenant-admin");
    for (email, password) in [(ANA, "wrong"), ("unknown@acme.test", PASSWORD), ("", ""), (ANA, ""), ("no address", "x")]
    {
        ask_for_token(&app, email, password).await.refused(401, "invalid_credentials");
        call(&app, KEY, &basic(email, password)).await.refused(401, "invalid_credentials").says("wrong");
    }
    for unreadable in ["Basic nonsense", "Basic AAAA", "Basic ====", "basic /w=="] {
        call(&app, KEY, unreadable).await.refused(401, "invalid_credentials");
    }
    for (body, wrong) in [
        (json!({}), &["email required", "password required"][..]),
        (json!({ "email": 1, "password": [], "x": 1 }), &["email wrong_type", "password wrong_type", "x unknown"]),
    ] {
        let answer = app.post_with(TOKEN, &[("content-type", "application/json")], body.to_string()).await;
        assert_eq!(answer.refused(422, "invalid").wrong_fields(), wrong);
        is_deprecated(&app, &answer, SUNSET);
    }
    let good = token(&app).await;
    let parts: Vec<&str> = good.split('.').collect();
    let (head, claims) = (decoded(parts[0]), decoded(parts[1]));
    let key = token_key(&app).await;
    assert_eq!(signed(&head, &claims, &key), good, "the test signs as the program does");
    assert_eq!(call(&app, KEY, &format!("Bearer {good}")).await.status, 200);
    let changed = |name: &str, value: Value| {
        let mut claims: Value = serde_json::from_str(&claims).unwrap();
        claims[name] = value;
        claims.to_string()
    };
    let now = chrono::Utc::now().timestamp();
    let none = r#"{"alg":"none","typ":"JWT"}"#;
    let bare = format!("{}.{}.", BASE64_URL_SAFE_NO_PAD.encode(none), parts[1]);
    for forged in [
        format!("{}.{}.{}", parts[0], parts[1], BASE64_URL_SAFE_NO_PAD.encode([7; 32])),
        format!("{}.{}.", parts[0], parts[1]),
        bare,
        signed(none, &claims, &key),
        signed(r#"{"alg":"HS512","typ":"JWT"}"#, &claims, &key),
        signed(&head, &claims, "another key"),
        signed(&head, &changed("exp", json!(now)), &key),
        signed(&head, &changed("exp", json!(now - 3600)), &key),
        signed(&head, &changed("iss", json!("another")), &key),
        signed(&head, &changed("sub", json!("per_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")), &key),
        signed(&head, &changed("epoch", json!(1)), &key),
        signed(&head, &changed("exp", json!(now + 2 * 3600)), &key),
        signed(&head, &changed("iat", json!(now - 3600)), &key),
        signed(&head, "[]", &key),
        "a.b.c".to_owned(),
        "..".to_owned(),
    ] {
        call(&app, KEY, &format!("Bearer {forged}")).await.refused(401, "invalid_token").says("/api/v1/auth/token");
    }
    let cut = format!("Bearer {}.{}", parts[0], parts[1]);
    app.get_with(KEY, &[("authorization", &cut)]).await.refused(401, "invalid_key");
}

/// Returns the token signing key, decrypted by the documented format.
async fn token_key(app: &TestApp) -> String {
    let encrypted = app.texts("SELECT token_key FROM installation").await.remove(0);
    let [version, id, sealed] = encrypted.splitn(3, '.').collect::<Vec<_>>().try_into().unwrap();
    let secret_key = std::fs::read_to_string(app.program.secret_key_file()).unwrap();
    let derive = Hkdf::<Sha256>::from_prk(&BASE64_STANDARD.decode(secret_key.trim()).unwrap()).unwrap();
    let (mut expected_id, mut key) = ([0; 8], [0; 32]);
    derive.expand(b"latchkey v1 key id", &mut expected_id).unwrap();
    derive.expand(b"latchkey v1 encryption", &mut key).unwrap();
    assert_eq!((version, id), ("v1", format!("{:016x}", u64::from_be_bytes(expected_id)).as_str()));
    let sealed = BASE64_URL_SAFE_NO_PAD.decode(sealed).unwrap();
    let (nonce, ciphertext) = sealed.split_first_chunk::<24>().unwrap();
    let payload = Payload { msg: ciphertext, aad: b"installation.token_key/1" };
    let decrypted = XChaCha20Poly1305::new(&key.into()).decrypt(nonce.into(), payload).unwrap();
    String::from_utf8(decrypted).unwrap()
}

fn decoded(part: &str) -> String {
    String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn signed(head: &str, claims: &str, key: &str) -> String {
    let text = format!("{}.{}", BASE64_URL_SAFE_NO_PAD.encode(head), BASE64_URL_SAFE_NO_PAD.encode(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

async fn changes_of_a_person_apply_to_their_tokens(base: Base) {
    let app = base.start();
    let id = app.person("ana", "tenant-admin");
    let before = format!("Bearer {}", token(&app).await);
    assert_eq!(call(&app, KEY, &before).await.status, 200);
    let browser = app.program.signed_in(ANA).await;
    assert_eq!(browser.call("/console/sign_out_everywhere", &json!({})).await.status(), 200);
    call(&app, KEY, &before).await.refused(401, "invalid_token");
    // Within the same second, as a rule.
    let before = format!("Bearer {}", token(&app).await);
    assert_eq!(call(&app, KEY, &before).await.status, 200);
    let words = ["person", "set-password", "--email", ANA, "--password-stdin", "--json"];
    assert!(app.program.shell(&words, "another good password").status.success());
    call(&app, KEY, &before).await.refused(401, "invalid_token");
    call(&app, KEY, &basic(ANA, PASSWORD)).await.refused(401, "invalid_credentials");
    let renewed = ask_for_token(&app, ANA, "another good password").await.good();
    let (after, with_password) =
        (format!("Bearer {}", text(&renewed["access_token"])), basic(ANA, "another good password"));
    for authorization in [&after, &with_password] {
        assert_eq!(call(&app, KEY, authorization).await.status, 200);
    }
    // The answer to a deactivated person's password is that to an unknown person.
    for (change, of_token, of_password) in [
        ("totp_secret = 'JBSWY3DPEHPK3PXP'", "two_factor_required", "two_factor_required"),
        ("totp_secret = NULL, switched_off_at = created_at", "key_disabled", "invalid_credentials"),
    ] {
        app.change_database(&format!("UPDATE person SET {change} WHERE id = '{id}'")).await;
        call(&app, KEY, &after).await.refused(401, of_token).says("API key");
        call(&app, KEY, &with_password).await.refused(401, of_password).says("API key");
        ask_for_token(&app, ANA, "another good password").await.refused(401, of_password);
        call(&app, KEY, &basic(ANA, "wrong")).await.refused(401, "invalid_credentials");
    }
}

async fn password_alone_is_refused_where_mfa_is_required(base: Base) {
    let app = base.start();
    app.person("ana", "tenant-admin");
    let before = format!("Bearer {}", token(&app).await);
    let key = app.key(&[]);
    for (is_required, status) in [("TRUE", 401), ("FALSE", 200)] {
        app.change_database(&format!("UPDATE tenant SET requires_second_factor = {is_required}")).await;
        for authorization in [&before, &basic(ANA, PASSWORD)] {
            assert_eq!(call(&app, KEY, authorization).await.status, status, "{authorization}");
        }
        assert_eq!(ask_for_token(&app, ANA, PASSWORD).await.status, status);
        assert_eq!(app.get(KEY, &key.secret).await.status, 200, "keys go on as before");
    }
    app.change_database("UPDATE tenant SET requires_second_factor = TRUE").await;
    let refused = call(&app, KEY, &basic(ANA, PASSWORD)).await;
    refused.refused(401, "two_factor_required").says("Use an API key");
    call(&app, KEY, &before).await.refused(401, "two_factor_required").says("Use an API key");
    ask_for_token(&app, ANA, PASSWORD).await.refused(401, "two_factor_required");
    call(&app, KEY, &basic(ANA, "wrong")).await.refused(401, "invalid_credentials");
}

/// Calls concurrently with these passwords, and counts the answers by status.
async fn statuses(app: &TestApp, passwords: impl Iterator<Item = &str>) -> BTreeMap<u16, usize> {
    let calls =
        passwords.map(|password| async { app.get_with(KEY, &[("authorization", &basic(ANA, password))]).await.status });
    let mut statuses = BTreeMap::new();
    for status in join_all(calls).await {
        *statuses.entry(status).or_default() += 1;
    }
    statuses
}

async fn concurrent_correct_passwords_are_not_throttled(base: Base) {
    let app = base.start();
    app.person("ana", "tenant-admin");
    assert_eq!(statuses(&app, repeat_n(PASSWORD, 40)).await, BTreeMap::from([(200, 40)]));
    assert_eq!(statuses(&app, repeat_n("wrong", 9)).await, BTreeMap::from([(401, 9)]));
    assert_eq!(statuses(&app, repeat_n(PASSWORD, 40)).await, BTreeMap::from([(200, 40)]), "one failure is left");
    assert_eq!(statuses(&app, repeat_n("wrong", 9)).await, BTreeMap::from([(401, 1), (429, 8)]));
    assert_eq!(statuses(&app, repeat_n(PASSWORD, 10)).await, BTreeMap::from([(429, 10)]));
}

async fn stopped_subscription_disables_passwords_and_tokens(base: Base) {
    let app = base.start();
    app.person("ana", "tenant-admin");
    let key = app.key(&[]);
    let (password, token) = (basic(ANA, PASSWORD), format!("Bearer {}", token(&app).await));
    let set_subscription = |switch| app.program.command(&["tenant", "set", "--slug", "acme", "--api-keys", switch]);
    set_subscription("off");
    app.get(KEY, &key.secret).await.refused(401, "key_disabled");
    for authorization in [&password, &token] {
        call(&app, KEY, authorization).await.refused(401, "key_disabled").says("subscription");
        let gateway = app.get_with("/gateway/auth?tenant=acme", &[("authorization", authorization)]).await;
        gateway.refused(401, "key_disabled");
    }
    ask_for_token(&app, ANA, PASSWORD).await.refused(401, "key_disabled").says("subscription");
    call(&app, KEY, &basic(ANA, "wrong")).await.refused(401, "invalid_credentials");
    set_subscription("on");
    for authorization in [&password, &token] {
        assert_eq!(call(&app, KEY, authorization).await.status, 200);
    }
}

async fn legacy_authentication_is_refused_after_the_sunset(base: Base) {
    let app = base.start_with(&["--legacy-sunset", "2020-01-01"]);
    app.person("ana", "tenant-admin");
    // Never before the deprecation itself.
    let sunset = "Wed, 01 Jul 2026 00:00:00 GMT";
    for authorization in [basic(ANA, PASSWORD), basic(ANA, "wrong"), "Bearer a.b.c".to_owned()] {
        let answer = app.get_with(KEY, &[("authorization", &authorization)]).await;
        answer.refused(401, "legacy_auth_retired").says("2020-01-01").says("Use an API key");
        is_deprecated(&app, &answer, sunset);
    }
    let body = json!({ "email": ANA, "password": PASSWORD }).to_string();
    let answer = app.post_with(TOKEN, &[("content-type", "application/json")], body).await;
    answer.refused(401, "legacy_auth_retired");
    is_deprecated(&app, &answer, sunset);
    assert_eq!(app.get(KEY, &app.key(&[]).secret).await.status, 200);
}

async fn organization_in_the_user_name_tells_people_apart(base: Base) {
    let app = base.start();
    app.program.command(&["tenant", "create", "--slug", "other", "--name", "Other"]);
    for slug in ["acme", "other"] {
        let person = ["person", "create", "--tenant", slug, "--email", ANA, "--name", "Ana", "--role", "tenant-admin"];
        app.program.command(&[&person[..], &["--password-stdin"]].concat());
    }
    call(&app, KEY, &basic(ANA, PASSWORD)).await.refused(401, "invalid_credentials");
    ask_for_token(&app, ANA, PASSWORD).await.refused(401, "invalid_credentials");
    for tenant in app.program.command(&["tenant", "list"]).as_array().unwrap() {
        let user_name = format!("{}/{ANA}", text(&tenant["slug"]));
        let by_password = call(&app, KEY, &basic(&user_name, PASSWORD)).await.good();
        assert_eq!(by_password["tenant"]["id"], tenant["id"], "{user_name}");
        let token = text(&ask_for_token(&app, &user_name, PASSWORD).await.good()["access_token"]);
        let by_token = call(&app, KEY, &format!("Bearer {token}")).await.good();
        assert_eq!(by_token["tenant"]["id"], tenant["id"], "{user_name}");
    }
    call(&app, KEY, &basic(&format!("third/{ANA}"), PASSWORD)).await.refused(401, "invalid_credentials");
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    organization_in_the_user_name_tells_people_apart,
    admin_has_full_access_by_legacy_authentication,
    wrong_passwords_and_forged_tokens_are_rejected,
    changes_of_a_person_apply_to_their_tokens,
    password_alone_is_refused_where_mfa_is_required,
    concurrent_correct_passwords_are_not_throttled,
    stopped_subscription_disables_passwords_and_tokens,
    legacy_authentication_is_refused_after_the_sunset,
}
