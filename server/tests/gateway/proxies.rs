//! Behaviour of all proxies.

use std::time::Duration;

use reqwest::Method;
use test_support::{
    program::PASSWORD,
    test_app::{Answer, TestApp, with},
};
use tokio::time::timeout;

use super::{
    guarded::{Guarded, wait_until_gone},
    proxy::{Kind, Proxy},
    transport::{
        body_of_a_refused_request_is_no_request, events_arrive_without_delay, large_upload_arrives,
        other_upgrades_do_not_pass, upload_arrives_as_it_is_sent, websocket_carries_messages, websocket_needs_a_key,
    },
    upstream::Seen,
};

const IDENTITY: [&str; 6] = [
    "x-latchkey-tenant",
    "x-latchkey-key-id",
    "x-latchkey-key-name",
    "x-latchkey-owner",
    "x-latchkey-permissions",
    "x-latchkey-properties",
];

/// All characters that a name may contain besides letters and digits.
const MARKS: [&str; 15] = ["-", "_", ".", "!", "#", "$", "%", "&", "'", "*", "+", "^", "`", "|", "~"];

const METHOD_OVERRIDES: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];

/// The origin that the configurations allow whose proxies answer preflight requests.
const ALLOWED_ORIGIN: &str = "https://shop.example.com";

/// Runs each test with each proxy.
macro_rules! with_every_proxy {
    ($($test:ident),* $(,)?) => {
        with_proxy!(nginx Nginx $($test)*);
        with_proxy!(plain_nginx PlainNginx $($test)*);
        with_proxy!(ingress_nginx IngressNginx $($test)*);
        with_proxy!(haproxy Haproxy $($test)*);
        with_proxy!(caddy Caddy $($test)*);
        with_proxy!(debian_caddy DebianCaddy $($test)*);
        with_proxy!(traefik Traefik $($test)*);
        with_proxy!(envoy Envoy $($test)*);
        with_proxy!(apache Apache $($test)*);
    };
}

macro_rules! with_proxy {
    ($proxy:ident $kind:ident $($test:ident)*) => {
        mod $proxy {
            $(#[test_support::requires(programs)]
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(super::Guarded::by(super::Kind::$kind).await).await;
            })*
        }
    };
}

fn identity(seen: &Seen) -> [&str; 6] {
    IDENTITY.map(|name| seen.header(name))
}

async fn valid_key_passes_with_its_identity(guarded: Guarded) {
    let property = guarded.app.property("acme", "Harbour House");
    let words = ["--name", "Café 100%", "--group", "Read only", "--scope", "read", "--property", &property];
    let made = guarded.app.program.command(&[&["key", "create", "--tenant", "acme"], &words[..]].concat());
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    for name in ["authorization", "x-api-key", "user-api-key"] {
        let value = if name == "authorization" { format!("Bearer {secret}") } else { secret.to_owned() };
        let answer = guarded.get(&[(name, &value)]).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "the upstream's own answer"), "{name}");
        assert_eq!(identity(&guarded.arrived()), ["acme", id, "Caf%C3%A9%20100%25", "", "*:read", &property]);
    }
}

async fn client_cannot_forge_identity_headers(guarded: Guarded) {
    let key = guarded.app.key(&[]);
    for mark in MARKS {
        let mut request = guarded.request(Method::GET, "/orders", &key);
        for name in IDENTITY {
            let spelled = name.replace('-', mark);
            for name in [name, &spelled, &name.replacen('-', mark, 1), &spelled.to_uppercase()] {
                request = request.header(name, "forged");
            }
        }
        let answer = Answer::to(request).await;
        if guarded.kind == Kind::IngressNginx {
            guarded.refused(&answer, 403);
            continue;
        }
        assert_eq!(answer.status, 200, "{mark}: {}", answer.text);
        let seen = guarded.arrived();
        assert_eq!(identity(&seen), ["acme", &key.id, "PMS", "", "*", "*"], "{mark}");
        let forged: Vec<_> = seen.headers.iter().filter(|(_, value)| *value == "forged").collect();
        assert!(forged.is_empty(), "{forged:?}");
    }
}

/// A header that a later version may add, and that the configuration does not name.
async fn client_cannot_forge_future_identity_headers(guarded: Guarded) {
    let key = guarded.app.key(&[]);
    for mark in MARKS {
        let name = "X-Latchkey-Future".replace('-', mark);
        let answer = Answer::to(guarded.request(Method::GET, "/orders", &key).header(&name, "forged")).await;
        if mark == "-" && guarded.kind.has_mode_nginx() {
            guarded.refused(&answer, guarded.kind.conflict());
            continue;
        }
        assert_eq!(answer.status, 200, "{mark}: {}", answer.text);
        let is_limited = mark == "-" && !guarded.kind.removes_headers_by_prefix();
        assert_eq!(guarded.arrived().headers.contains_key(&name), is_limited, "{name}");
    }
}

/// Headers that `Connection` names are hop-by-hop, so a client could try to strip ours.
async fn client_cannot_strip_identity_headers(guarded: Guarded) {
    let key = guarded.app.key(&[]);
    let connection = IDENTITY.join(", ");
    let request = guarded.request(Method::GET, "/orders", &key).header("connection", &connection);
    let answer = Answer::to(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let seen = guarded.arrived();
    assert_eq!(identity(&seen), ["acme", &key.id, "PMS", "", "*", "*"]);
    assert!(!seen.header("connection").contains("latchkey"), "{seen:?}");
}

async fn key_does_not_reach_the_upstream(guarded: Guarded) {
    const OWN_TOKEN: &str = "Bearer eyJhbGciOiJub25lIn0.e30.c2ln";
    const OWN_PASSWORD: &str = "Basic cm9iaW46c2VjcmV0";
    let key = guarded.app.key(&[]);
    let secret = key.secret.as_str();
    let (bearer, spaced) = (format!("Bearer {secret}"), format!("bEARER   {secret}"));
    for (headers, own) in [
        (&[("authorization", bearer.as_str())][..], ""),
        (&[("authorization", &spaced)], ""),
        (&[("x-api-key", secret)], ""),
        (&[("user-api-key", secret)], ""),
        (&[("x-api-key", secret), ("user-api-key", secret), ("authorization", &bearer)], ""),
        (&[("x-api-key", secret), ("authorization", OWN_TOKEN)], OWN_TOKEN),
        (&[("user-api-key", secret), ("authorization", OWN_TOKEN)], OWN_TOKEN),
        (&[("x-api-key", secret), ("authorization", OWN_PASSWORD)], OWN_PASSWORD),
        (&[("x-api-key", ""), ("authorization", &bearer)], ""),
    ] {
        let answer = guarded.get(headers).await;
        assert_eq!(answer.status, 200, "{headers:?}: {}", answer.text);
        let seen = guarded.arrived();
        let own = if guarded.kind.keeps_own_authorization() { own } else { "" };
        let credentials = ["authorization", "x-api-key", "user-api-key"].map(|name| seen.header(name));
        assert_eq!(credentials, [own, "", ""], "{headers:?}");
    }
}

/// Legacy authentication accepts a password as well.
async fn password_does_not_reach_the_upstream(guarded: Guarded) {
    guarded.app.person("ana", "tenant-admin");
    for (name, value) in [("accept", "*/*"), ("x-api-key", "")] {
        let request = guarded.client.get(guarded.url("/orders")).basic_auth("ana@acme.test", Some(PASSWORD));
        let answer = Answer::to(request.header(name, value)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(guarded.arrived().header("authorization"), "");
    }
}

async fn client_cannot_choose_the_logged_method(guarded: Guarded) {
    let key = guarded.app.key(&[]);
    let request = guarded.request(Method::DELETE, "/orders/7", &key);
    let answer = Answer::to(with(request, &[("x-original-method", "GET"), ("x-forwarded-method", "GET")])).await;
    assert_eq!((answer.status, guarded.arrived().method), (200, Method::DELETE), "{}", answer.text);
    let log = format!("SELECT method FROM usage_event WHERE api_key_id = '{}'", key.id);
    guarded.app.see(&log, &["DELETE".to_owned()]).await;
}

async fn call_arrives_unchanged(guarded: Guarded) {
    let key = guarded.app.key(&[]);
    let body: Vec<u8> = (0..200_000u32).map(|at| (at % 251) as u8).collect();
    for method in [Method::POST, Method::PUT, Method::PATCH] {
        let request = guarded.request(method.clone(), "/orders/7%20a?mode=nginx&cost=0&x=%2F&x", &key);
        let answer = Answer::to(request.header("content-type", "application/x-own").body(body.clone())).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let seen = guarded.arrived();
        assert_eq!((seen.method, seen.uri.to_string()), (method, "/orders/7%20a?mode=nginx&cost=0&x=%2F&x".to_owned()));
        assert!(seen.body == body, "{} bytes", seen.body.len());
        assert_eq!(seen.headers["content-type"], "application/x-own");
    }
    let log = format!("SELECT method || ' ' || route FROM usage_event WHERE api_key_id = '{}' ORDER BY id", key.id);
    guarded.app.see(&log, &["POST", "PUT", "PATCH"].map(|method| format!("{method} /gateway/auth"))).await;
}

async fn refusals_are_returned_and_nothing_reaches_the_upstream(guarded: Guarded) {
    let answer = guarded.get(&[]).await;
    guarded.refused(&answer, 401);
    assert_eq!(challenges(&answer), ["Bearer realm=\"latchkey\""]);
    let revoked = guarded.app.key(&[]);
    guarded.app.revoke(&revoked);
    guarded.app.program.command(&["tenant", "create", "--slug", "other", "--name", "Other"]);
    let foreign = guarded.app.key_of("other", &[]);
    for secret in ["nonsense", &revoked.secret, &foreign.secret] {
        let answer = guarded.get(&[("x-api-key", secret), ("origin", "https://page.test")]).await;
        guarded.refused(&answer, 401);
        assert_eq!(challenges(&answer), ["Bearer realm=\"latchkey\", error=\"invalid_token\""]);
    }
    let poor = guarded.app.key(&["--scope", "write"]);
    let answer = guarded.get(&[("x-api-key", &poor.secret)]).await;
    guarded.refused(&answer, 403);
    let (first, second) = (guarded.app.key(&[]), guarded.app.key(&[]));
    let answer = guarded.get(&[("x-api-key", &first.secret), ("user-api-key", &second.secret)]).await;
    guarded.refused(&answer, guarded.kind.conflict());
}

fn challenges(answer: &Answer) -> Vec<&str> {
    answer.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap()).collect()
}

async fn rate_limit_is_enforced(guarded: Guarded) {
    let key = guarded.app.key(&["--rate-limit", "2"]);
    for _ in 0..2 {
        assert_eq!(guarded.get(&[("x-api-key", &key.secret)]).await.status, 200);
    }
    assert_eq!(guarded.upstream.seen().len(), 2);
    let answer = guarded.get(&[("x-api-key", &key.secret)]).await;
    guarded.refused(&answer, guarded.kind.too_many());
    if guarded.kind.has_retry_after() {
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
    }
}

async fn allowlist_uses_the_client_address(guarded: Guarded) {
    let here = guarded.app.key(&["--ip", guarded.kind.loopback_clients()]);
    let elsewhere = guarded.app.key(&["--ip", "203.0.113.9"]);
    for forged in [None, Some(("x-forwarded-for", "203.0.113.9"))] {
        let headers = |key: &'static str| [("x-forwarded-for", key)];
        let more = forged.map_or(vec![], |(_, address)| headers(address).to_vec());
        let ours = guarded.get(&[&[("x-api-key", here.secret.as_str())], &more[..]].concat()).await;
        assert_eq!(ours.status, 200, "{}", ours.text);
        let seen = guarded.arrived();
        let (_, client) =
            seen.header("x-forwarded-for").rsplit_once(", ").unwrap_or(("", seen.header("x-forwarded-for")));
        assert_ne!(client, "203.0.113.9");
        if guarded.kind.overwrites_forwarded_for() {
            assert_eq!(seen.header("x-forwarded-for"), "127.0.0.1");
        }
        let theirs = guarded.get(&[&[("x-api-key", elsewhere.secret.as_str())], &more[..]].concat()).await;
        guarded.refused(&theirs, 403);
    }
}

async fn preflight_needs_no_key(guarded: Guarded) {
    let options = || guarded.client.request(Method::OPTIONS, guarded.url("/orders?a=b"));
    let preflight = options().header("origin", ALLOWED_ORIGIN).header("x-latchkey-tenant", "forged");
    let preflight = preflight.header("access-control-request-headers", "x-api-key");
    let answer = Answer::to(preflight.header("access-control-request-method", "POST")).await;
    assert_eq!(answer.status / 100, 2, "{}", answer.text);
    if guarded.kind.answers_preflights() {
        assert_eq!(answer.header("access-control-allow-origin"), ALLOWED_ORIGIN);
        assert_eq!(guarded.upstream.seen().len(), 0);
    } else {
        let seen = guarded.arrived();
        assert_eq!((seen.method.as_str(), seen.uri.to_string().as_str()), ("OPTIONS", "/orders?a=b"));
        let cors = ["origin", "access-control-request-method", "access-control-request-headers"];
        assert_eq!(cors.map(|name| seen.header(name)), [ALLOWED_ORIGIN, "POST", "x-api-key"]);
        assert_eq!(identity(&seen), [""; 6]);
    }
    guarded.refused(&Answer::to(options()).await, 401);
    let other = guarded.client.post(guarded.url("/orders"));
    guarded.refused(&Answer::to(other.header("access-control-request-method", "POST")).await, 401);
}

/// Some frameworks would take the preflight request for another one.
async fn preflight_cannot_override_its_method(guarded: Guarded) {
    for mark in MARKS {
        let mut preflight = guarded.client.request(Method::OPTIONS, guarded.url("/orders"));
        for name in METHOD_OVERRIDES {
            preflight = preflight.header(name.replace('-', mark), "DELETE");
        }
        let preflight = preflight.header("origin", ALLOWED_ORIGIN).header("access-control-request-method", "POST");
        let answer = Answer::to(preflight).await;
        assert_eq!(answer.status / 100, 2, "{mark}: {}", answer.text);
        if !guarded.kind.answers_preflights() {
            let seen = guarded.arrived();
            assert!(seen.headers.values().all(|value| value != "DELETE"), "{seen:?}");
        }
    }
    assert_eq!(guarded.upstream.seen().len(), 0);
}

async fn keys_in_preflights_do_not_reach_the_upstream(guarded: Guarded) {
    let mut preflight = guarded.client.request(Method::OPTIONS, guarded.url("/orders"));
    for (name, value) in
        [("x-api-key", "lk_tk_key"), ("user-api-key", "lk_tk_key"), ("authorization", "Bearer lk_tk_key")]
    {
        preflight = preflight.header(name, value);
    }
    let preflight = preflight.header("origin", ALLOWED_ORIGIN).header("access-control-request-method", "POST");
    assert_eq!(Answer::to(preflight).await.status / 100, 2);
    for seen in guarded.upstream.seen() {
        assert!(seen.headers.values().all(|value| !value.to_str().unwrap().contains("lk_tk_key")), "{seen:?}");
    }
}

async fn unreachable_latchkey_denies_requests(guarded: Guarded) {
    let key = guarded.app.key(&[]);
    assert_eq!(guarded.get(&[("x-api-key", &key.secret)]).await.status, 200);
    guarded.upstream.seen();
    let TestApp { program, .. } = &guarded.app;
    program.terminate();
    wait_until_gone(program).await;
    for headers in [&[("x-api-key", key.secret.as_str())][..], &[]] {
        let answer = guarded.get(headers).await;
        guarded.refused(&answer, guarded.kind.stopped());
    }
}

async fn hanging_latchkey_does_not_hold_requests(guarded: Guarded) {
    let key = guarded.app.key(&[]);
    guarded.app.program.signal("STOP");
    let answer = timeout(Duration::from_secs(10), guarded.get(&[("x-api-key", &key.secret)])).await;
    guarded.app.program.signal("CONT");
    let answer = answer.expect("the proxy gives up");
    assert_eq!((answer.status / 100, guarded.upstream.seen().len()), (5, 0), "{}", answer.text);
}

/// It would go on as if there were no script. Without an address, the script cannot put its question.
#[test_support::requires(programs)]
#[tokio::test(flavor = "multi_thread")]
async fn haproxy_denies_requests_when_its_script_fails() {
    let mut guarded = Guarded::by(Kind::Haproxy).await;
    let key = guarded.app.key(&[]);
    guarded.proxy = Proxy::start(Kind::Haproxy, "http://", guarded.upstream.address);
    for headers in [&[("x-api-key", key.secret.as_str())][..], &[]] {
        let answer = guarded.get(headers).await;
        guarded.refused(&answer, 503);
        assert_eq!(answer.header("retry-after"), "1");
    }
}

with_every_proxy!(
    valid_key_passes_with_its_identity,
    client_cannot_forge_identity_headers,
    client_cannot_forge_future_identity_headers,
    client_cannot_strip_identity_headers,
    key_does_not_reach_the_upstream,
    password_does_not_reach_the_upstream,
    client_cannot_choose_the_logged_method,
    call_arrives_unchanged,
    refusals_are_returned_and_nothing_reaches_the_upstream,
    rate_limit_is_enforced,
    allowlist_uses_the_client_address,
    preflight_needs_no_key,
    preflight_cannot_override_its_method,
    keys_in_preflights_do_not_reach_the_upstream,
    unreachable_latchkey_denies_requests,
    websocket_carries_messages,
    websocket_needs_a_key,
    other_upgrades_do_not_pass,
    large_upload_arrives,
    upload_arrives_as_it_is_sent,
    body_of_a_refused_request_is_no_request,
    events_arrive_without_delay,
);

/// The others wait longer than a test should take: Traefik 30 seconds, ingress-nginx 60.
mod within_seconds {
    use super::{Guarded, Kind, hanging_latchkey_does_not_hold_requests};

    with_proxy!(nginx Nginx hanging_latchkey_does_not_hold_requests);
    with_proxy!(plain_nginx PlainNginx hanging_latchkey_does_not_hold_requests);
    with_proxy!(haproxy Haproxy hanging_latchkey_does_not_hold_requests);
    with_proxy!(caddy Caddy hanging_latchkey_does_not_hold_requests);
    with_proxy!(debian_caddy DebianCaddy hanging_latchkey_does_not_hold_requests);
    with_proxy!(envoy Envoy hanging_latchkey_does_not_hold_requests);
    with_proxy!(apache Apache hanging_latchkey_does_not_hold_requests);
}
