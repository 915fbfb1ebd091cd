//! Usage recording: exact counts, written a moment later, deleted with the key.

use chrono::{DateTime, Utc};
use domain::id::{Id, SecretId};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use test_support::{
    program::Program,
    test_app::{Answer, Base, Key, TestApp},
};
use tokio::task::JoinSet;

const KEY: &str = "/api/v1/key";
const PROPERTIES: &str = "/api/v1/properties";

fn events(key: &Key) -> String {
    format!(
        "SELECT method || ' ' || route || ' ' || CAST(status AS TEXT) || ' ' || outcome || ' ' || ip \
         FROM usage_event WHERE api_key_id = '{}' ORDER BY id",
        key.id
    )
}

fn counts(key: &Key) -> String {
    format!(
        "SELECT outcome || ' ' || CAST(SUM(count) AS TEXT) FROM usage_hour WHERE api_key_id = '{}' \
         GROUP BY outcome ORDER BY outcome",
        key.id
    )
}

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|&line| line.to_owned()).collect()
}

fn last_use(app: &TestApp, key: &Key) -> Value {
    app.program.command(&["key", "show", &key.id])["last_used_at"].clone()
}

async fn every_call_is_recorded_with_its_outcome(base: Base) {
    let app = base.start_with(&["--trusted-proxies", "127.0.0.0/8"]);
    let (key, unused) = (app.key(&["--scope", "read", "--rate-limit", "4"]), app.key(&[]));
    assert_eq!(last_use(&app, &key), Value::Null);
    let before = Utc::now();
    let from = [("x-api-key", key.secret.as_str()), ("x-forwarded-for", "::ffff:198.51.100.7")];
    assert_eq!(app.get_with(KEY, &from).await.status, 200);
    let after = Utc::now();
    assert_eq!(app.get_with("/api/v1/properties/", &from[..1]).await.status, 200);
    assert_eq!(app.get("/api/v1/properties/prp_x?cursor=secret", &key.secret).await.status, 404);
    assert_eq!(app.get("/api/v1/properties?limit=0", &key.secret).await.status, 422);
    assert_eq!(app.post("/api/v1/reservations", &key.secret, &json!({})).await.status, 403);
    assert_eq!(app.get(KEY, &key.secret).await.status, 200);
    assert_eq!(app.get(KEY, &key.secret).await.status, 429);
    let last = Answer::to(app.request(reqwest::Method::HEAD, KEY).bearer_auth(&key.secret)).await;
    assert_eq!(last.status, 429);
    let rotated = app.rotate(&key, &[]);
    assert_eq!(app.get(KEY, &key.secret).await.status, 401);
    app.revoke(&rotated);
    assert_eq!(app.get(KEY, &rotated.secret).await.status, 401);
    assert_eq!(app.get(KEY, "nonsense").await.status, 401);
    assert_eq!(app.get("/api/v1/nowhere", &key.secret).await.status, 404);

    let expected = lines(&[
        "GET /api/v1/key 200 VALID 198.51.100.7",
        "GET /api/v1/properties 200 VALID 127.0.0.1",
        "GET /api/v1/properties/{property_id} 404 PROPERTY_NOT_ALLOWED 127.0.0.1",
        "GET /api/v1/properties 422 VALID 127.0.0.1",
        "POST /api/v1/reservations 403 INSUFFICIENT_PERMISSIONS 127.0.0.1",
        "GET /api/v1/key 200 VALID 127.0.0.1",
        "GET /api/v1/key 429 RATE_LIMITED 127.0.0.1",
        "HEAD /api/v1/key 429 RATE_LIMITED 127.0.0.1",
        "GET /api/v1/key 401 SECRET_REPLACED 127.0.0.1",
        "GET /api/v1/key 401 REVOKED 127.0.0.1",
    ]);
    app.see(&events(&key), &expected).await;
    let expected = lines(&[
        "INSUFFICIENT_PERMISSIONS 1",
        "PROPERTY_NOT_ALLOWED 1",
        "RATE_LIMITED 2",
        "REVOKED 1",
        "SECRET_REPLACED 1",
        "VALID 4",
    ]);
    assert_eq!(app.texts(&counts(&key)).await, expected);
    let used: DateTime<Utc> = last_use(&app, &key).as_str().unwrap().parse().unwrap();
    assert!(used >= after.max(before) && used <= Utc::now(), "{used}: the last time that it was good");
    let ip = format!("SELECT last_used_ip FROM api_key WHERE id = '{}'", key.id);
    assert_eq!(app.texts(&ip).await, ["127.0.0.1"]);

    assert_eq!(last_use(&app, &unused), Value::Null);
    app.program.command(&["key", "delete", &key.id]);
    assert!(app.texts(&events(&key)).await.is_empty() && app.texts(&counts(&key)).await.is_empty());
    assert_eq!(app.texts("SELECT CAST(COUNT(*) AS TEXT) FROM usage_event").await, ["0"], "nor of another key");
}

/// Each secret's tail identifies the secret that its id leads to.
async fn logged_call_names_its_request_its_secret_and_its_duration(base: Base) {
    let app = base.start();
    let (first, verifier) = (app.key(&[]), app.key(&["--group", "Verifier"]));
    let second = app.rotate(&first, &["--grace", "1h"]);
    for (request_id, key) in [("first", &first), ("second", &second)] {
        let headers = [("x-api-key", key.secret.as_str()), ("x-request-id", request_id)];
        assert_eq!(app.get_with(KEY, &headers).await.status, 200);
        assert_eq!(app.get_with("/gateway/auth", &headers).await.status, 200);
    }
    let ask = app.request(Method::POST, "/api/v1/keys/verify").bearer_auth(&verifier.secret);
    Answer::to(ask.header("x-request-id", "asked").json(&json!({ "key": first.secret }))).await.good();
    let ours = app.get(PROPERTIES, &second.secret).await;
    let ours = ours.header("x-request-id");

    let calls = |key: &Key| {
        format!(
            "SELECT request_id || ' ' || tail FROM usage_event JOIN api_key_secret USING (secret_id) \
             WHERE usage_event.api_key_id = '{}' AND duration_us > 0 ORDER BY id",
            key.id
        )
    };
    let tail = |key: &Key| key.secret[key.secret.len() - 4..].to_owned();
    let (old, new) = (tail(&first), tail(&second));
    let expected = [
        format!("first {old}"),
        format!("first {old}"),
        format!("second {new}"),
        format!("second {new}"),
        format!("asked {old}"),
        format!("{ours} {new}"),
    ];
    app.see(&calls(&first), &expected).await;
    app.see(&calls(&verifier), &[format!("asked {}", tail(&verifier))]).await;
    let ids = app.texts("SELECT secret_id FROM api_key_secret ORDER BY secret_id").await;
    assert!(ids.len() == 3 && ids.iter().all(|id| SecretId::parse(id).is_ok()), "{ids:?}");
}

async fn counts_are_exact_under_concurrency(base: Base) {
    let app = base.start();
    let key = app.key(&["--rate-limit", "250"]);
    let mut running = JoinSet::new();
    for _ in 0..30 {
        let (client, url, secret) = (Client::new(), app.url(KEY), key.secret.clone());
        running.spawn(async move {
            for _ in 0..10 {
                Answer::to(client.get(&url).bearer_auth(&secret)).await;
            }
        });
    }
    running.join_all().await;
    app.see(&counts(&key), &lines(&["RATE_LIMITED 50", "VALID 250"])).await;
    app.see(&logged(&key), &lines(&["RATE_LIMITED 10", "VALID 250"])).await;
}

fn logged(key: &Key) -> String {
    format!(
        "SELECT outcome || ' ' || CAST(COUNT(*) AS TEXT) FROM usage_event WHERE api_key_id = '{}' \
         GROUP BY outcome ORDER BY outcome",
        key.id
    )
}

async fn ten_refused_calls_of_a_key_are_logged_and_all_are_counted(base: Base) {
    let app = base.start();
    app.program.command(&["tenant", "create", "--slug", "other", "--name", "Other"]);
    let (revoked, good) = (app.key(&[]), app.key_of("other", &[]));
    app.revoke(&revoked);
    for _ in 0..20 {
        for path in [KEY, "/gateway/auth"] {
            app.get(path, &revoked.secret).await.refused(401, "key_revoked");
        }
        assert_eq!(app.get(KEY, &good.secret).await.status, 200);
    }
    app.see(&counts(&revoked), &lines(&["REVOKED 40"])).await;
    app.see(&counts(&good), &lines(&["VALID 20"])).await;
    app.see(&logged(&revoked), &lines(&["REVOKED 10"])).await;
    app.see(&logged(&good), &lines(&["VALID 20"])).await;
}

/// The request may have been executed by then.
#[test_support::requires(postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn call_of_a_disconnected_client_is_recorded() {
    let app = Base::Postgres.start();
    let key = app.key(&[]);
    assert_eq!(app.get(PROPERTIES, &key.secret).await.status, 200);
    let disconnect = async {
        let call = tokio::spawn(app.request(Method::GET, PROPERTIES).bearer_auth(&key.secret).send());
        let waiting = "SELECT mode FROM pg_locks WHERE relation = 'property'::regclass AND NOT granted";
        app.see(waiting, &["AccessShareLock".to_owned()]).await;
        call.abort();
        let written = "SELECT outcome || ' ' || status FROM usage_event ORDER BY id";
        app.see(written, &["VALID 200".to_owned(), "VALID 499".to_owned()]).await;
    };
    app.with_locked("property", disconnect).await;
    app.program.find_in_log(|log| {
        let of_client = |line: &&str| line.contains("route=/api/v1/properties status=499") && line.contains(&key.id);
        log.lines().find(of_client).map(drop)
    });
}

/// On shutdown the program writes pending counts, and continues from there after a restart.
async fn clean_shutdown_loses_no_usage(base: Base) {
    let mut app = base.start();
    let key = app.key(&[]);
    for total in ["7", "14"] {
        for _ in 0..7 {
            assert_eq!(app.get(KEY, &key.secret).await.status, 200);
        }
        let database_url = app.program.database_url.clone();
        let (folder, status) = app.program.stop();
        assert!(status.success());
        app.program = Program::launch(folder, database_url, &[]);
        assert_eq!(app.texts(&counts(&key)).await, [format!("VALID {total}")]);
    }
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    every_call_is_recorded_with_its_outcome,
    logged_call_names_its_request_its_secret_and_its_duration,
    counts_are_exact_under_concurrency,
    ten_refused_calls_of_a_key_are_logged_and_all_are_counted,
    clean_shutdown_loses_no_usage,
}
