//! Every row of the evaluator's table, as a client sees it, and the order of the rows.

use chrono::{DateTime, Utc};
use domain::secret::{KeyKind, Product, assemble};
use test_support::test_app::{Base, Key, TestApp, day, stay};

const KEY: &str = "/api/v1/key";
const PROPERTIES: &str = "/api/v1/properties";

async fn is_good(app: &TestApp, secret: &str) {
    app.get(PROPERTIES, secret).await.good();
}

/// Makes a key expire. The key must not have been used, so that no cache holds it.
async fn expire(app: &TestApp, key: &Key) {
    let sql = format!("UPDATE api_key SET expires_at = '2026-01-01 00:00:00' WHERE id = '{}'", key.id);
    app.change_database(&sql).await;
}

async fn malformed_and_unknown_keys_are_rejected(base: Base) {
    let app = base.start();
    let key = app.key(&[]);
    app.get_with(KEY, &[]).await.refused(401, "missing_credential").says("X-API-Key");
    let other = app.key(&[]);
    let two = [("x-api-key", key.secret.as_str()), ("user-api-key", &other.secret)];
    app.get_with(KEY, &two).await.refused(400, "conflicting_credentials").says("exactly one");

    let cut = &key.secret[..key.secret.len() - 1];
    let mistyped = key.secret.replacen("lk_tk_", "lk_tk_0", 1);
    for malformed in ["x", "nonsense", cut, &mistyped, &key.secret.to_uppercase()] {
        let answer = app.get(KEY, malformed).await;
        answer.refused(401, "invalid_key").says("Copy it again");
        assert!(!answer.headers.contains_key("ratelimit"), "no limit applies");
    }
    app.get(KEY, &unknown_secret(7)).await.refused(401, "invalid_key").says("does not exist");
    is_good(&app, &key.secret).await;
}

async fn revoked_key_is_rejected_immediately(base: Base) {
    let app = base.start();
    let (key, deleted) = (app.key(&[]), app.key(&[]));
    is_good(&app, &key.secret).await;
    app.revoke(&key);
    app.get(PROPERTIES, &key.secret)
        .await
        .refused(401, "key_revoked")
        .says("cannot be undone")
        .says("generate a new one");
    is_good(&app, &deleted.secret).await;
    app.program.command(&["key", "delete", &deleted.id]);
    app.get(PROPERTIES, &deleted.secret).await.refused(401, "invalid_key").says("deleted");
}

async fn rotated_secret_expires_with_its_grace_period(base: Base) {
    let app = base.start();
    let first = app.key(&[]);
    let second = app.rotate(&first, &[]);
    assert_eq!(first.id, second.id);
    app.get(KEY, &first.secret).await.refused(401, "secret_replaced").says("new secret");
    assert!(app.get(KEY, &second.secret).await.good()["rotation"].is_null());

    let third = app.rotate(&second, &["--grace", "1h"]);
    let old = app.get(KEY, &second.secret).await.good();
    let retires_at: DateTime<Utc> = old["rotation"]["retires_at"].as_str().unwrap().parse().unwrap();
    let left = (retires_at - Utc::now()).num_minutes();
    assert!((58..=60).contains(&left), "{retires_at}");
    assert!(app.get(KEY, &third.secret).await.good()["rotation"].is_null());
    app.program.command(&["key", "end-grace", &third.id]);
    app.get(KEY, &second.secret).await.refused(401, "secret_replaced").says("rotated");
    is_good(&app, &third.secret).await;
    app.revoke(&third);
    for secret in [&first.secret, &second.secret, &third.secret] {
        app.get(KEY, secret).await.refused(401, "key_revoked").says("revoked on");
    }
}

async fn expired_key_is_rejected(base: Base) {
    let app = base.start();
    let (key, lasting) = (app.key(&[]), app.key(&["--expires", &day(2)]));
    expire(&app, &key).await;
    app.get(KEY, &key.secret).await.refused(401, "key_expired").says("expired on").says("Rotate it");
    is_good(&app, &lasting.secret).await;
    let renewed = app.rotate(&key, &["--expires", &day(2)]);
    is_good(&app, &renewed.secret).await;
}

async fn keys_of_an_unsubscribed_tenant_are_disabled(base: Base) {
    let app = base.start();
    app.program.command(&["tenant", "create", "--slug", "other", "--name", "Other"]);
    let (ours, theirs) = (app.key(&[]), app.key_of("other", &[]));
    for _ in 0..2 {
        app.program.command(&["tenant", "set", "--slug", "acme", "--api-keys", "off"]);
        app.get(KEY, &ours.secret).await.refused(401, "key_disabled").says("subscription");
        is_good(&app, &theirs.secret).await;
        app.program.command(&["tenant", "set", "--slug", "acme", "--api-keys", "on"]);
        is_good(&app, &ours.secret).await;
    }
}

async fn every_edit_applies_from_the_next_call(base: Base) {
    let app = base.start();
    let (harbour, old_town) = (app.property("acme", "Harbour House"), app.property("acme", "Old Town"));
    let key = app.key(&[]);
    let at_old_town = format!("/api/v1/services?property_id={old_town}");
    for (worse, code, words, better) in [
        (&["--ip", "10.0.0.0/8"][..], "ip_not_allowed", "127.0.0.1", &["--any-ip"][..]),
        (&["--origin", "https://book.acme.test"], "origin_not_allowed", "no Origin header", &["--any-origin"]),
        (&["--group", "Verifier"], "insufficient_scope", "“Verifier” does not grant", &["--group", "Read only"]),
        (&["--scope", "write"], "insufficient_scope", "lacks the scope Read", &["--scope", "read"]),
        (&["--property", &harbour], "property_not_allowed", "Add the property", &["--property", &old_town]),
    ] {
        assert_eq!(app.get(&at_old_town, &key.secret).await.status, 200, "before {worse:?}");
        app.edit(&key, worse);
        app.get(&at_old_town, &key.secret).await.refused(403, code).says(words).says("Settings → API Keys");
        app.edit(&key, better);
    }
    let calls = app.get(&at_old_town, &key.secret).await;
    assert_eq!(calls.quota().0, 54, "six calls were let through, and five refused ones cost nothing");
    app.edit(&key, &["--rate-limit", "6"]);
    let over = app.get(&at_old_town, &key.secret).await;
    over.refused(429, "rate_limited").says("6 a minute").says("raised");
    app.edit(&key, &["--rate-limit", "7"]);
    assert_eq!(app.get(&at_old_town, &key.secret).await.status, 200);
}

async fn origins_are_compared_as_browsers_send_them(base: Base) {
    let app = base.start();
    let key = app.key(&["--origin", "https://Book.Acme.test:443", "--origin", "http://localhost:5173"]);
    let call = async |origins: &[&str]| {
        let mut headers = vec![("x-api-key", key.secret.as_str())];
        headers.extend(origins.iter().map(|origin| ("origin", *origin)));
        app.get_with(KEY, &headers).await
    };
    for good in
        ["https://book.acme.test", "HTTPS://BOOK.ACME.TEST", "https://book.acme.test:443", "http://localhost:5173"]
    {
        assert_eq!(call(&[good]).await.status, 200, "{good}");
    }
    for bad in [
        "http://book.acme.test",
        "https://book.acme.test:8443",
        "https://acme.test",
        "https://book.acme.test.evil.example",
        "http://localhost",
        "null",
        "*",
        "",
    ] {
        call(&[bad]).await.refused(403, "origin_not_allowed").says("Add the origin");
    }
    call(&[]).await.refused(403, "origin_not_allowed").says("no Origin header");
    call(&["https://book.acme.test", "https://book.acme.test"]).await.refused(403, "origin_not_allowed");
}

/// A key that fails every check gets the first verdict. As its faults are fixed one by one, it gets each verdict in
/// turn.
async fn first_failed_check_decides_the_verdict(base: Base) {
    let app = base.start();
    let (harbour, old_town) = (app.property("acme", "Harbour House"), app.property("acme", "Old Town"));
    let service = app.service("acme", &harbour, "Double room", 5);
    let old = app.key(&["--rate-limit", "1"]);
    is_good(&app, &old.secret).await;
    let (ip, origin) = (["--ip", "10.0.0.0/8"], ["--origin", "https://book.acme.test"]);
    app.edit(&old, &[&ip[..], &origin, &["--scope", "read", "--property", &old_town]].concat());
    let subscription = |switch: &str| app.program.command(&["tenant", "set", "--slug", "acme", "--api-keys", switch]);
    let key = app.rotate(&old, &[]);
    expire(&app, &key).await;
    subscription("off");

    let reserve = async |secret: &str| app.post("/api/v1/reservations", secret, &stay(&harbour, &service)).await;
    let conflict = [("x-api-key", key.secret.as_str()), ("user-api-key", "x")];
    app.post_with("/api/v1/reservations", &conflict, "").await.refused(400, "conflicting_credentials");
    reserve(&key.secret[1..]).await.refused(401, "invalid_key");
    reserve(&old.secret).await.refused(401, "secret_replaced");
    reserve(&key.secret).await.refused(401, "key_expired");
    subscription("on");
    let key = app.rotate(&key, &["--never-expires"]);
    subscription("off");
    reserve(&key.secret).await.refused(401, "key_disabled");
    subscription("on");
    reserve(&key.secret).await.refused(403, "ip_not_allowed");
    app.edit(&key, &["--any-ip"]);
    reserve(&key.secret).await.refused(403, "origin_not_allowed");
    app.edit(&key, &["--any-origin"]);
    reserve(&key.secret).await.refused(403, "insufficient_scope").says("lacks the scope Write");
    app.edit(&key, &["--scope", "read", "--scope", "write"]);
    reserve(&key.secret).await.refused(403, "property_not_allowed");
    app.edit(&key, &["--all-properties"]);
    let last = reserve(&key.secret).await;
    assert_eq!(last.refused(429, "rate_limited").quota().0, 0);
    assert!(!last.header("retry-after").is_empty());
    app.edit(&key, &["--rate-limit", "2"]);
    assert_eq!(reserve(&key.secret).await.status, 201, "the refused calls cost nothing");
}

fn unknown_secret(number: u8) -> String {
    assemble(&Product::parse("lk").unwrap(), KeyKind::Tenant, [number; 32])
}

async fn many_unknown_keys_throttle_their_own_address_only(base: Base) {
    let app = base.start_with(&["--trusted-proxies", "127.0.0.0/8"]);
    let key = app.key(&[]);
    let from = async |address: &str, secret: &str| {
        app.get_with(KEY, &[("x-api-key", secret), ("x-forwarded-for", address)]).await
    };
    assert_eq!(from("203.0.113.7", &key.secret).await.status, 200);
    for _ in 0..300 {
        assert_eq!(from("198.51.100.9", &unknown_secret(7)).await.status, 401);
    }
    let waits = from("198.51.100.9", &unknown_secret(7)).await;
    waits.refused(429, "too_many_attempts").says("Wait");
    let seconds: u64 = waits.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(from("198.51.100.9", &key.secret).await.status, 200, "a known key never waits");
    from("203.0.113.7", &unknown_secret(7)).await.refused(401, "invalid_key");
}

/// A look-up fails while the table is away, so 429 shows that there was none.
async fn throttled_address_is_refused_without_a_query(base: Base) {
    let app = base.start_with(&["--trusted-proxies", "127.0.0.0/8"]);
    let (known, other) = (app.key(&[]), app.key(&[]));
    let from = async |address: &str, secret: &str| {
        app.get_with(KEY, &[("x-api-key", secret), ("x-forwarded-for", address)]).await
    };
    let (throttled, elsewhere) = ("198.51.100.9", "203.0.113.7");
    assert_eq!(from(elsewhere, &known.secret).await.status, 200);
    for _ in 0..300 {
        assert_eq!(from(throttled, &unknown_secret(7)).await.status, 401);
    }

    app.change_database("ALTER TABLE api_key_secret RENAME TO hidden").await;
    from(elsewhere, &unknown_secret(8)).await.refused(503, "unavailable");
    for secret in [&unknown_secret(8), &other.secret] {
        from(throttled, secret).await.refused(429, "too_many_attempts");
    }
    assert_eq!(from(throttled, &known.secret).await.status, 200, "answered from memory");
    app.change_database("ALTER TABLE hidden RENAME TO api_key_secret").await;

    app.edit(&known, &["--rate-limit", "70"]);
    assert_eq!(from(throttled, &known.secret).await.status, 200, "a known key is looked up again after a change");
    assert_eq!(from(elsewhere, &other.secret).await.status, 200);
    assert_eq!(from(throttled, &other.secret).await.status, 200, "known by now");
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    malformed_and_unknown_keys_are_rejected,
    revoked_key_is_rejected_immediately,
    rotated_secret_expires_with_its_grace_period,
    expired_key_is_rejected,
    keys_of_an_unsubscribed_tenant_are_disabled,
    every_edit_applies_from_the_next_call,
    origins_are_compared_as_browsers_send_them,
    first_failed_check_decides_the_verdict,
    many_unknown_keys_throttle_their_own_address_only,
    throttled_address_is_refused_without_a_query,
}
