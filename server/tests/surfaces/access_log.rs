//! The access log: one line for each request, which leads from its id to the key that it came with.

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use test_support::program::Program;

const SECRET: &str = "lk_tk_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghi";

/// The lines of the access log so far, of one request.
fn access_lines(log: &str, request_id: &str) -> Vec<Value> {
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    lines.filter(|line| line["target"] == "access" && line["fields"]["request_id"] == request_id).collect()
}

/// Sends a request, and waits for its line.
async fn line_of(program: &Program, request: RequestBuilder, request_id: &str) -> Value {
    request.header("x-request-id", request_id).send().await.unwrap();
    program.find_in_log(|log| access_lines(log, request_id).into_iter().next())
}

fn json_program() -> Program {
    Program::start_with(&["--log-format", "json"])
}

#[test_support::requires(site)]
#[tokio::test]
async fn access_line_names_the_request_and_no_secret() {
    let program = json_program();
    program.tenant("acme");
    let key = program.key("acme", "PMS");
    let secret = key["secret"].as_str().unwrap();
    let get = |path: &str| Client::new().get(format!("{}{path}", program.url));
    for (id, request, route, status, key_id) in [
        ("api", get("/api/v1/key/").bearer_auth(secret), "/api/v1/key", 200, &key["id"]),
        (
            "no-property",
            get("/api/v1/properties/prp_x").bearer_auth(secret),
            "/api/v1/properties/{property_id}",
            404,
            &key["id"],
        ),
        ("no-key", get("/api/v1/key"), "/api/v1/key", 401, &Value::Null),
        ("page", get("/sign-in"), "/sign-in", 200, &Value::Null),
        ("file", get("/favicon.svg"), "static", 200, &Value::Null),
        (
            "nowhere",
            get(&format!("/keys/{SECRET}/%5F?key={SECRET}")).header("user-agent", SECRET),
            "unmatched",
            404,
            &Value::Null,
        ),
    ] {
        let line = line_of(&program, request, id).await;
        assert_eq!(line["level"], "INFO", "{line}");
        let fields = &line["fields"];
        assert_eq!((&fields["method"], &fields["route"]), (&"GET".into(), &route.into()));
        assert_eq!((&fields["status"], &fields["key_id"]), (&status.into(), key_id), "{line}");
        assert_eq!(fields["address"], "127.0.0.1");
        assert!(fields["duration_ms"].as_f64().is_some_and(|duration| duration > 0.0), "{line}");
    }
    let url = program.url.clone();
    let brew = Client::new().request(Method::from_bytes(b"BREW").unwrap(), format!("{url}/livez"));
    assert_eq!(line_of(&program, brew, "brew").await["fields"]["method"], "OTHER");

    let log = program.stop_and_read_log();
    for id in ["api", "no-property", "no-key", "page", "file", "nowhere", "brew"] {
        assert_eq!(access_lines(&log, id).len(), 1, "{id}");
    }
    assert!(!log.contains(&SECRET[..20]) && !log.contains(secret) && !log.contains("prp_x") && !log.contains("BREW"));
}

#[tokio::test]
async fn frequent_routes_are_logged_at_debug_unless_refused() {
    let program = json_program();
    program.tenant("acme");
    let key = program.key("acme", "PMS");
    let words = ["key", "create", "--tenant", "acme", "--name", "Gateway", "--group", "Verifier"];
    let verifier = program.command(&words);
    let (secret, by) = (key["secret"].as_str().unwrap(), verifier["secret"].as_str().unwrap());
    let get = |path: &str| Client::new().get(format!("{}{path}", program.url));
    let post = |path: &str| Client::new().post(format!("{}{path}", program.url)).bearer_auth(by);
    let verify = |secret: &str| post("/api/v1/keys/verify").json(&serde_json::json!({ "key": secret }));
    let introspect = |secret: &str| post("/api/v1/keys/introspect").form(&[("token", secret)]);
    let revoked = program.key("acme", "Old PMS");
    program.command(&["key", "revoke", revoked["id"].as_str().unwrap()]);
    let old = revoked["secret"].as_str().unwrap();
    for (id, request, level, verdict) in [
        ("live", get("/livez/"), "DEBUG", None),
        ("ready", get("/readyz"), "DEBUG", None),
        ("metrics", get("/metrics"), "DEBUG", None),
        ("not-allowed", Client::new().post(format!("{}/livez", program.url)), "INFO", None),
        ("auth", get("/gateway/auth").bearer_auth(secret), "DEBUG", Some("VALID")),
        ("auth-refused", get("/gateway/auth").bearer_auth(old), "INFO", Some("REVOKED")),
        ("auth-no-key", get("/gateway/auth"), "INFO", None),
        ("verify", verify(secret), "DEBUG", Some("VALID")),
        ("verify-refused", verify(old), "INFO", Some("REVOKED")),
        ("verify-unknown", verify(SECRET), "INFO", Some("MALFORMED")),
        ("verify-malformed", post("/api/v1/keys/verify").json(&7), "INFO", Some("VALID")),
        ("introspect", introspect(secret), "DEBUG", Some("VALID")),
        ("introspect-refused", introspect(old), "INFO", Some("REVOKED")),
    ] {
        let line = line_of(&program, request, id).await;
        assert_eq!(line["level"], level, "{line}");
        assert_eq!(line["fields"]["verdict"].as_str(), verdict, "{line}");
        if id.starts_with("verify") || id.starts_with("introspect") {
            assert_eq!(line["fields"]["key_id"], verifier["id"], "{line}");
        }
        if id == "verify-refused" || id == "introspect-refused" {
            assert_eq!(line["fields"]["verified_key_id"], revoked["id"], "{line}");
        }
    }
}

#[tokio::test]
async fn json_logs_contain_only_json() {
    let program = Program::start_with(&["--log-format", "json", "--demo"]);
    program.stranger().get("/sign-in").await;
    let (folder, log) = program.stop_with_log();
    let program = Program::start_in(folder, &["--log-format", "json", "--demo"]);
    let log = format!("{log}{}", program.stop_and_read_log());
    for line in log.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object()), "{line}");
    }
    assert!(log.contains("ready at http://"), "{log}");
    assert!(log.contains("ana@northwind.example") && log.contains("has tenants already"), "{log}");
}

/// A line of a request's is followed by others on its behalf: they carry its id as well.
#[test_support::requires(postgres)]
#[tokio::test]
async fn lines_of_one_request_carry_its_id() {
    let program = Program::start_on_postgres_with(&["--log-format", "json"]);
    program.execute_sql("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false");
    program.execute_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    let ready = Client::new().get(format!("{}/readyz", program.url));
    let line = line_of(&program, ready, "not-ready").await;
    assert_eq!((&line["level"], &line["fields"]["status"]), (&"ERROR".into(), &503.into()));
    let cause = |log: &str| {
        let mut lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.find(|line| line["fields"]["message"] == "not ready" && line["span"]["request_id"] == "not-ready")
    };
    assert!(program.find_in_log(cause)["fields"]["cause"].is_string());
}
