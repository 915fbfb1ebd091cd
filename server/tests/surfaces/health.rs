//! The health endpoints for operators and monitoring.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use reqwest::{Client, Method};
use serde_json::Value;
use test_support::program::Program;

const PROBES: [&str; 4] = ["/livez", "/livez/", "/readyz", "/readyz/"];

#[tokio::test]
async fn probes_are_answered_without_a_session() {
    let program = Program::start();
    let client = Client::new();
    for path in PROBES {
        for method in [Method::GET, Method::HEAD] {
            let answer = client.request(method.clone(), format!("{}{path}", program.url)).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{method} {path}");
            assert_eq!(answer.headers()["cache-control"], "no-store");
            assert_eq!(answer.text().await.unwrap(), if method == Method::GET { "ok" } else { "" });
        }
        let answer = client.post(format!("{}{path}", program.url)).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{path}");
        assert_eq!(answer.headers()["allow"], "GET,HEAD");
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], "method_not_allowed");
    }
}

#[test_support::requires(postgres)]
#[tokio::test]
async fn readiness_follows_the_database() {
    let program = Program::start_on_postgres();
    let ready = async || program.stranger().get("/readyz").await;
    assert_eq!(ready().await.status(), 200);

    program.execute_sql("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false");
    program.execute_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    let answer = ready().await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(answer.headers()["retry-after"], "1");
    let problem = answer.json::<Value>().await.unwrap();
    assert_eq!(problem["code"], "unavailable");
    assert_eq!(problem["detail"], "The database does not respond.");
    assert_eq!(program.stranger().get("/livez").await.status(), 200, "it lives all the same");

    program.execute_sql("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS true");
    assert_eq!(ready().await.status(), 200);
}

#[tokio::test]
async fn wide_trusted_range_is_reported_at_start() {
    let program = Program::start_with(&["--trusted-proxies", "10.0.0.5,10.0.0.0/8,2001:db8::/32"]);
    for range in ["10.0.0.0/8", "2001:db8::/32"] {
        program
            .wait_for_log(&format!(
                "LATCHKEY_TRUSTED_PROXIES: each of its addresses can claim to be any client range={range}"
            ))
            .await;
    }
    assert!(!program.log.lock().unwrap().contains("range=10.0.0.5"), "an exact address is not wide");
}

#[test_support::requires(postgres)]
#[tokio::test]
async fn log_line_of_an_error_page_names_the_cause() {
    let program = Program::start_on_postgres();
    program.tenant("acme");
    let admin = program.signed_in("tenant-admin@acme.test").await;
    program.execute_sql("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false");
    program.execute_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    assert_eq!(admin.get("/tenant-api-keys").await.status(), 503);
    let line = program.wait_for_log("the session could not be looked up").await;
    assert!(line.contains("accepting connections"), "{line}");
}

#[test_support::requires(site)]
#[tokio::test]
async fn requests_are_counted_by_route_and_never_by_path() {
    let program = Program::start();
    program.tenant("acme");
    let admin = program.signed_in("tenant-admin@acme.test").await;
    let key = program.key("acme", "PMS");
    let (id, secret) = (key["id"].as_str().unwrap(), key["secret"].as_str().unwrap());
    admin.get("/tenant-api-keys").await;
    admin.get("/favicon.svg").await;
    admin.get("/livez/").await;
    admin.get(&format!("/{secret}/{id}?key={secret}")).await;
    let brew = Method::from_bytes(b"BREW").unwrap();
    Client::new().request(brew, format!("{}/livez", program.url)).send().await.unwrap();

    for path in ["/metrics", "/metrics/"] {
        let answer = program.stranger().get(path).await;
        assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let numbers = answer.text().await.unwrap();
        assert!(numbers.contains("# TYPE latchkey_verdicts_total counter\n") && !numbers.contains("# EOF"));
        let version = env!("CARGO_PKG_VERSION");
        assert!(numbers.contains(&format!("latchkey_build_info{{version=\"{version}\"}} 1\n")), "{numbers}");
        for name in ["process_cpu_seconds_total", "process_start_time_seconds", "process_resident_memory_bytes"] {
            assert!(numbers.lines().any(|line| line.starts_with(&format!("{name} "))), "{name} is not in\n{numbers}");
        }
        for (route, method, status) in [
            ("/tenant-api-keys", "GET", 200),
            ("/console/{function}", "POST", 200),
            ("static", "GET", 200),
            ("/livez", "GET", 200),
            ("unmatched", "GET", 404),
            ("/livez", "OTHER", 405),
        ] {
            let labels = format!("{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}}");
            let line = format!("http_server_request_duration_seconds_count{labels} ");
            assert!(numbers.contains(&line), "{line} is not in\n{numbers}");
        }
        assert!(numbers.contains("latchkey_verdicts_total{verdict=\"VALID\"} 0"));
        assert!(numbers.contains("latchkey_usage_pending 0"));
        for private in [secret, id, "acme", "favicon", "BREW"] {
            assert!(!numbers.contains(private), "{private} is in\n{numbers}");
        }
    }
    let accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4";
    let answer = Client::new().get(format!("{}/metrics", program.url)).header("accept", accept).send().await.unwrap();
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(answer.headers()["content-type"], kind);
    assert!(answer.text().await.unwrap().ends_with("# EOF\n"));
}

#[test_support::requires(programs)]
#[tokio::test]
async fn prometheus_accepts_the_metrics() {
    let program = Program::start();
    program.stranger().get("/sign-in").await;
    let metrics = program.stranger().get("/metrics").await.bytes().await.unwrap();
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = promtool.spawn().unwrap();
    promtool.stdin.take().unwrap().write_all(&metrics).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let complaints = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && complaints.is_empty(), "{}", String::from_utf8_lossy(&complaints));
}
