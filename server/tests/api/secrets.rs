//! Secrets that clients put where they do not belong, or where they do: none is ever written down or sent back.

use std::path::Path;

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::{Client, Method, RequestBuilder, redirect::Policy};
use serde_json::{Value, json};
use test_support::{
    program::PASSWORD,
    test_app::{Answer, Base, TestApp, text},
};

/// A credential that a client could send, and the part of it that would reveal it.
struct Sent {
    what: String,
    traces: Vec<String>,
}

impl Sent {
    /// Any piece that is longer than what may be shown of a key.
    fn key(secret: &str) -> Self {
        let random = secret.strip_prefix("lk_tk_").unwrap().as_bytes();
        let pieces = random.windows(12).map(|piece| String::from_utf8(piece.to_vec()).unwrap());
        Self { what: secret.to_owned(), traces: pieces.collect() }
    }

    /// Its claims and its signature; the header is the same for all tokens.
    fn token(token: &str) -> Self {
        let traces = token.split('.').skip(1).map(|part| part[..part.len().min(30)].to_owned()).collect();
        Self { what: token.to_owned(), traces }
    }

    fn found_in(&self, haystack: &str) -> bool {
        self.traces.iter().any(|trace| haystack.contains(trace))
    }
}

/// Every part of a request where a client could put a credential, rightly or by mistake.
fn misplaced(app: &TestApp, client: &Client, what: &str) -> Vec<(String, RequestBuilder)> {
    let url = |path: &str| format!("{}{path}", app.program.url);
    let get = |path: &str| client.get(url(path));
    let mut requests = Vec::new();
    let mut add = |place: &str, request: RequestBuilder| requests.push((place.to_owned(), request));
    for header in [
        "authorization",
        "x-api-key",
        "user-api-key",
        "cookie",
        "x-request-id",
        "user-agent",
        "origin",
        "x-forwarded-for",
        "idempotency-key",
        "referer",
        "accept",
        "content-type",
        "if-none-match",
        "proxy-authorization",
        "x-anything",
    ] {
        add(header, get("/api/v1/key").header(header, what));
        add(header, client.post(url("/api/v1/reservations")).header(header, what).body("{}"));
        add(header, get("/sign-in").header(header, what));
    }
    for scheme in ["Bearer", "Basic", "Digest", "Token", "ApiKey"] {
        add(scheme, get("/api/v1/key").header("authorization", format!("{scheme} {what}")));
        add(scheme, get("/api/v1/key").header("authorization", format!("{scheme} {what}x")));
    }
    add("two headers", get("/api/v1/key").header("x-api-key", what).header("user-api-key", "x"));
    for path in ["/api/v1/key", "/api/v1/properties", "/api/v1/reservations", "/sign-in", "/livez", "/nowhere"] {
        for name in ["api_key", "cursor", "property_id", "limit", "next"] {
            add("query", get(&format!("{path}?{name}={what}")).header("x-api-key", "x"));
        }
    }
    for path in
        ["/api/v1/properties/", "/api/v1/reservations/", "/api/v1/", "/api/", "/", "/tenant-api-keys/", "/console/"]
    {
        add("path", get(&format!("{path}{what}")));
        add("path", client.post(url(&format!("{path}{what}"))).body(what.to_owned()));
    }
    if let Ok(method) = Method::from_bytes(what.as_bytes()) {
        add("method", client.request(method.clone(), url("/api/v1/key")));
        add("method", client.request(method, url("/sign-in")));
    }
    for path in ["/api/v1/auth/token", "/api/v1/reservations", "/console/revoke_key"] {
        let post = || client.post(url(path)).header("sec-fetch-site", "same-origin");
        add("body", post().json(&json!({ "email": what, "password": what, "property_id": what, "id": what })));
        add("field name", post().json(&json!({ what: what })));
        add("no JSON", post().header("content-type", "application/json").body(format!("{{{what}")));
        add("other type", post().body(what.to_owned()));
    }
    let form = format!("email={what}&password={what}&next={what}");
    let sign_in = client.post(url("/console/sign_in")).header("sec-fetch-site", "same-origin");
    add("sign-in", sign_in.header("content-type", "application/x-www-form-urlencoded").body(form));
    requests
}

/// The same, by a client with a valid key.
fn admitted(app: &TestApp, client: &Client, what: &str, key: &str) -> Vec<(String, RequestBuilder)> {
    let url = |path: &str| format!("{}{path}", app.program.url);
    let get = |path: String| client.get(url(&path)).header("x-api-key", key);
    let mut requests = vec![
        ("property in path".to_owned(), get(format!("/api/v1/properties/{what}"))),
        ("reservation in path".to_owned(), get(format!("/api/v1/reservations/{what}"))),
        ("cursor".to_owned(), get(format!("/api/v1/reservations?cursor={what}"))),
        ("limit".to_owned(), get(format!("/api/v1/reservations?limit={what}"))),
        ("property".to_owned(), get(format!("/api/v1/services?property_id={what}"))),
        ("day".to_owned(), get(format!("/api/v1/availability?property_id={what}&from={what}&to={what}"))),
        ("origin".to_owned(), get("/api/v1/key".to_owned()).header("origin", what)),
        ("agent".to_owned(), get("/api/v1/key".to_owned()).header("user-agent", what)),
        ("forwarded".to_owned(), get("/api/v1/key".to_owned()).header("x-forwarded-for", what)),
    ];
    for body in
        [json!({ what: what }), json!({ "property_id": what, "guest": { what: 1 }, "arrival": what, "units": what })]
    {
        let post = client.post(url("/api/v1/reservations")).header("x-api-key", key).header("idempotency-key", what);
        requests.push(("body".to_owned(), post.json(&body)));
    }
    requests
}

/// Returns the whole database as text.
async fn stored(app: &TestApp) -> String {
    let path = app.program.database_url.strip_prefix("sqlite://").map(Path::new);
    if let Some(path) = path {
        // Every byte of the file and of its log, in all tables.
        let log = path.with_extension("db-wal");
        let bytes = [std::fs::read(path).unwrap(), std::fs::read(log).unwrap_or_default()].concat();
        return String::from_utf8_lossy(&bytes).into_owned();
    }
    let tables =
        app.texts("SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'").await;
    let mut all = String::new();
    for table in &tables {
        all.push_str(&app.texts(&format!("SELECT t::text FROM \"{table}\" t")).await.join("\n"));
    }
    assert!(tables.len() > 10, "{tables:?}");
    all
}

async fn secrets_are_neither_stored_nor_returned(base: Base) {
    let app = base.start_with(&["--trusted-proxies", "127.0.0.0/8", "--log", "trace"]);
    app.person("ana", "tenant-admin");
    let key = app.key(&["--rate-limit", "1000"]);
    let credentials = json!({ "email": "ana@acme.test", "password": PASSWORD }).to_string();
    let issued = app.post_with("/api/v1/auth/token", &[("content-type", "application/json")], credentials).await;
    let token = text(&issued.good()["access_token"]);
    let basic = BASE64_STANDARD.encode(format!("ana@acme.test:{PASSWORD}"));
    let client = Client::builder().redirect(Policy::none()).build().unwrap();

    let all = [Sent::key(&key.secret), Sent::token(&token), Sent { what: basic.clone(), traces: vec![basic] }];
    let mut leaks = Vec::new();
    for sent in &all {
        let requests = [misplaced(&app, &client, &sent.what), admitted(&app, &client, &sent.what, &key.secret)];
        for (place, request) in requests.into_iter().flatten() {
            let Ok(request) = request.build() else { panic!("{place} cannot be sent") };
            let asked = format!("{} {}", request.method(), request.url());
            let answer = Answer::of(client.execute(request).await.unwrap()).await;
            assert!(answer.status < 500, "{place}: {asked}: {}", answer.text);
            if all.iter().any(|sent| sent.found_in(&answer.text)) {
                leaks.push(format!("the answer to {place}: {asked}: {}", answer.text));
            }
        }
    }
    // A client that signs in with credentials in its user agent.
    let mut agent = client.post(app.url("/console/sign_in")).header("sec-fetch-site", "same-origin");
    agent = agent.header("user-agent", format!("agent/1.0 ({}) {token}", key.secret));
    agent = agent.header("x-request-id", "the-last-one");
    let form = format!("email=ana@acme.test&password={}&next=", PASSWORD.replace(' ', "+"));
    let signed_in = agent.header("content-type", "application/x-www-form-urlencoded").body(form).send().await.unwrap();
    assert_eq!(signed_in.status(), 200);

    let written = format!("SELECT CAST(COUNT(*) > 0 AS TEXT) FROM usage_event WHERE api_key_id = '{}'", key.id);
    let truth = if app.program.database_url.starts_with("sqlite") { "1" } else { "true" };
    app.see(&written, &[truth.to_owned()]).await;
    let metrics = app.get_with("/metrics", &[]).await.text;
    let audit = app.program.command(&["audit", "list", "--tenant", "acme"]).to_string();
    app.program.wait_for_log("request_id=the-last-one").await;
    let log = app.program.log.lock().unwrap().clone();
    assert!(log.lines().count() > 200, "the log is written");
    let rows = stored(&app).await;
    assert!(rows.contains(&key.id), "the database is read");
    for (place, written) in
        [("the log", &log), ("the metrics", &metrics), ("the audit log", &audit), ("the database", &rows)]
    {
        for line in written.lines().filter(|line| all.iter().any(|sent| sent.found_in(line)) || line.contains(PASSWORD))
        {
            leaks.push(format!("{place}: {}", line.chars().take(400).collect::<String>()));
        }
    }
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}

/// The one answer that carries a secret is the command line's, once.
async fn key_is_shown_once(base: Base) {
    let app = base.start();
    let key = app.key(&[]);
    let sent = Sent::key(&key.secret);
    for words in
        [&["key", "show", &key.id][..], &["key", "list", "--tenant", "acme"], &["audit", "list", "--tenant", "acme"]]
    {
        let shown: Value = app.program.command(words);
        assert!(!sent.found_in(&shown.to_string()), "{words:?}");
    }
    assert!(!sent.found_in(&stored(&app).await) && !sent.found_in(&app.program.log.lock().unwrap()));
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    secrets_are_neither_stored_nor_returned,
    key_is_shown_once,
}
