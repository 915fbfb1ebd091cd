//! Request ids: in responses and in problems.

use reqwest::Client;
use serde_json::Value;
use test_support::program::Program;

const SECRET: &str = "lk_tk_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghi";

/// The name of a request that brings this one along.
async fn named(program: &Program, path: &str, name: &str) -> String {
    let request = Client::new().get(format!("{}{path}", program.url)).header("x-request-id", name);
    request.send().await.unwrap().headers()["x-request-id"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_response_has_a_request_id() {
    let program = Program::start();
    for path in ["/sign-in", "/livez", "/metrics", "/favicon.svg", "/nowhere", "/console/no_such_function"] {
        assert_eq!(named(&program, path, "7f9c-4e2.A_b:1").await, "7f9c-4e2.A_b:1", "{path}");
        for unfit in ["", "a b", "{\"a\":1}", &"x".repeat(65), SECRET, &format!("x:{SECRET}")] {
            let ours = named(&program, path, unfit).await;
            assert!(ours.starts_with("req_") && ours.len() == 30, "{path}: {ours}");
        }
    }
}

#[tokio::test]
async fn problem_has_the_same_request_id() {
    let program = Program::start();
    let post = || Client::new().post(format!("{}/console/revoke_key", program.url));
    let answer = post().header("x-request-id", "abc").send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert_eq!(answer.headers()["x-request-id"], "abc");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let problem = answer.json::<Value>().await.unwrap();
    assert_eq!(problem["request_id"], "abc");
    assert_eq!(problem["code"], "cross_site");
    assert_eq!(problem["status"], 403);
    assert_eq!(problem["type"], format!("{}/problems/cross_site", program.url));
    let answer = post().send().await.unwrap();
    let ours = answer.headers()["x-request-id"].clone();
    assert_eq!(answer.json::<Value>().await.unwrap()["request_id"], ours.to_str().unwrap());
}
