//! Pages of other origins: any may ask, the key decides, and every answer can be read.

use reqwest::Method;
use serde_json::json;
use test_support::test_app::{Answer, Base, with};

const ORIGIN: &str = "https://book.acme.test";
const KEY: &str = "/api/v1/key";

/// Checks the headers that every cross-origin response has, and those that none may have.
fn is_shared(answer: &Answer, origin: &str) {
    assert_eq!(answer.header("access-control-allow-origin"), origin);
    let vary: Vec<&str> = answer.headers.get_all("vary").iter().map(|line| line.to_str().unwrap()).collect();
    assert!(vary.join(",").to_lowercase().contains("origin"), "{vary:?}");
    assert!(!answer.headers.contains_key("access-control-allow-credentials"), "no cookie is ever involved");
}

fn is_readable(answer: &Answer) {
    let exposed = answer.header("access-control-expose-headers").to_lowercase();
    for name in ["ratelimit", "ratelimit-policy", "retry-after", "x-request-id", "www-authenticate", "location"] {
        assert!(exposed.split(", ").any(|exposed| exposed == name), "{name} is not in {exposed}");
    }
}

async fn preflight_is_free_and_always_answered(base: Base) {
    let app = base.start();
    let key = app.key(&["--rate-limit", "2"]);
    let (any, token) = (["https://evil.example", ORIGIN, "null"], key.secret.as_str());
    for origin in any {
        for path in [KEY, "/api/v1/reservations", "/api/v1/properties/x", "/api/v1/nowhere", "/api/v1/auth/token/"] {
            let asked = [
                ("origin", origin),
                ("access-control-request-method", "POST"),
                ("access-control-request-headers", "authorization,content-type,idempotency-key"),
                ("x-api-key", token),
            ];
            let answer = Answer::to(with(app.request(Method::OPTIONS, path), &asked)).await;
            assert_eq!((answer.status, answer.text.as_str()), (204, ""), "{origin} {path}");
            is_shared(&answer, origin);
            for method in ["GET", "POST"] {
                assert!(answer.header("access-control-allow-methods").split(", ").any(|allowed| allowed == method));
            }
            let allowed = answer.header("access-control-allow-headers").to_lowercase();
            for name in [
                "authorization",
                "x-api-key",
                "user-api-key",
                "content-type",
                "idempotency-key",
                "x-requested-with",
                "traceparent",
                "tracestate",
            ] {
                assert!(allowed.split(", ").any(|allowed| allowed == name), "{name} is not in {allowed}");
            }
            assert!(!answer.headers.contains_key("ratelimit"), "no key is looked up");
        }
    }
    let first = app.get(KEY, token).await;
    assert_eq!((first.status, first.quota().0), (200, 1), "no quota is spent");
    app.see("SELECT CAST(COUNT(*) AS TEXT) FROM usage_event", &["1".to_owned()]).await;
}

async fn key_decides_the_origin_and_every_response_is_readable(base: Base) {
    let app = base.start();
    let key = app.key(&["--origin", ORIGIN, "--rate-limit", "3", "--scope", "read"]);
    let from = async |origin: &str, path: &str| {
        let answer =
            app.get_with(path, &[("authorization", &format!("Bearer {}", key.secret)), ("origin", origin)]).await;
        is_shared(&answer, origin);
        is_readable(&answer);
        answer
    };
    assert_eq!(from(ORIGIN, KEY).await.status, 200);
    assert_eq!(from("https://BOOK.acme.test:443", KEY).await.status, 200, "as the list spells it or not");
    from("https://evil.example", KEY).await.refused(403, "origin_not_allowed");
    from("null", KEY).await.refused(403, "origin_not_allowed");
    from(ORIGIN, "/api/v1/properties/nothing").await.refused(404, "not_found");
    assert_eq!(from(ORIGIN, KEY).await.status, 200);
    from(ORIGIN, KEY).await.refused(429, "rate_limited");
    from(ORIGIN, "/api/v1/nowhere").await.refused(404, "not_found");

    let strangers = [("origin", ORIGIN), ("x-api-key", "nonsense")];
    let unknown = app.get_with(KEY, &strangers).await;
    is_shared(unknown.refused(401, "invalid_key"), ORIGIN);
    is_readable(&unknown);
    let none = app.get_with(KEY, &[("origin", ORIGIN)]).await;
    is_shared(none.refused(401, "missing_credential"), ORIGIN);
    let writing = [("origin", ORIGIN), ("x-api-key", &key.secret), ("content-type", "application/json")];
    let refused = app.post_with("/api/v1/reservations", &writing, json!({}).to_string()).await;
    is_shared(refused.refused(403, "insufficient_scope"), ORIGIN);

    let no_page = app.get_with(KEY, &[]).await;
    for header in ["access-control-allow-origin", "access-control-expose-headers"] {
        assert!(!no_page.headers.contains_key(header), "{header} is for pages alone");
    }
    assert!(no_page.header("vary").to_lowercase().contains("origin"), "caches have to know all the same");
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    preflight_is_free_and_always_answered,
    key_decides_the_origin_and_every_response_is_readable,
}
