//! Behaviour of all proxies.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use test_support::{
    program::Program,
    test_app::{Answer, Base, Key, TestApp, with},
};
use tokio::time::timeout;

use super::{
    proxy::{Kind, Proxy},
    upstream::{Seen, Upstream},
};

const IDENTITY: [&str; 6] = [
    "x-latchkey-tenant",
    "x-latchkey-key-id",
    "x-latchkey-key-name",
    "x-latchkey-owner",
    "x-latchkey-permissions",
    "x-latchkey-properties",
];

/// Runs each test with each proxy.
macro_rules! with_every_proxy {
    ($($test:ident),* $(,)?) => {
        with_every_proxy!(nginx Nginx $($test)*);
        with_every_proxy!(plain_nginx PlainNginx $($test)*);
        with_every_proxy!(haproxy Haproxy $($test)*);
        with_every_proxy!(caddy Caddy $($test)*);
    };
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

/// An API that a proxy guards, and a client of it.
struct Guarded {
    kind: Kind,
    app: TestApp,
    proxy: Proxy,
    upstream: Upstream,
    client: Client,
}

impl Guarded {
    async fn by(kind: Kind) -> Self {
        let app = Base::Sqlite.start_with(&["--trusted-proxies", "127.0.0.1/32"]);
        let upstream = Upstream::start().await;
        let proxy = Proxy::start(kind, &app.program.url, upstream.address);
        Self { kind, app, proxy, upstream, client: Client::builder().http1_title_case_headers().build().unwrap() }
    }

    fn request(&self, method: Method, path: &str, key: &Key) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.proxy.url)).bearer_auth(&key.secret)
    }

    async fn get(&self, headers: &[(&str, &str)]) -> Answer {
        Answer::to(with(self.client.get(format!("{}/orders", self.proxy.url)), headers)).await
    }

    /// In no case has anything reached the upstream.
    fn refused(&self, answer: &Answer, status: u16) {
        assert_eq!((answer.status, self.upstream.seen().len()), (status, 0), "{}", answer.text);
    }

    /// The only request that has reached the upstream.
    fn arrived(&self) -> Seen {
        let mut seen = self.upstream.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }
}

fn identity(seen: &Seen) -> [&str; 6] {
    IDENTITY.map(|name| {
        let values: Vec<_> = seen.headers.get_all(name).iter().collect();
        assert!(values.len() <= 1, "{name}: {values:?}");
        values.first().map_or("", |value| value.to_str().unwrap())
    })
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
    for mark in ["-", "_", ".", "!", "#", "$", "%", "&", "'", "*", "+", "^", "`", "|", "~"] {
        let mut request = guarded.request(Method::GET, "/orders", &key);
        for name in IDENTITY {
            let spelled = name.replace('-', mark);
            for name in [name, &spelled, &name.replacen('-', mark, 1), &spelled.to_uppercase()] {
                request = request.header(name, "forged");
            }
        }
        let answer = Answer::to(request).await;
        assert_eq!(answer.status, 200, "{mark}: {}", answer.text);
        let seen = guarded.arrived();
        assert_eq!(identity(&seen), ["acme", &key.id, "PMS", "", "*", "*"], "{mark}");
        let forged: Vec<_> = seen.headers.iter().filter(|(_, value)| *value == "forged").collect();
        assert!(forged.is_empty(), "{forged:?}");
    }
}

/// Headers that `Connection` names are hop-by-hop, so a client could try to strip ours.
async fn client_cannot_strip_identity_headers(guarded: Guarded) {
    let key = guarded.app.key(&[]);
    let names = IDENTITY.join(", ");
    for connection in [names.clone(), format!("Upgrade, {names}")] {
        let request = guarded.request(Method::GET, "/orders", &key).header("connection", &connection);
        let answer = Answer::to(request.header("upgrade", "own/1")).await;
        assert_eq!(answer.status, 200, "{connection}: {}", answer.text);
        let seen = guarded.arrived();
        assert_eq!(identity(&seen), ["acme", &key.id, "PMS", "", "*", "*"], "{connection}");
        let passed_on = seen.headers.get("connection").map_or("", |value| value.to_str().unwrap());
        assert!(["", "upgrade"].contains(&passed_on.to_lowercase().as_str()), "{connection}: {passed_on}");
        if connection.starts_with("Upgrade") && matches!(guarded.kind, Kind::Haproxy | Kind::Caddy) {
            assert_eq!((passed_on, seen.headers["upgrade"].to_str().unwrap()), ("Upgrade", "own/1"));
        }
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
    if guarded.kind != Kind::PlainNginx {
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
    }
}

async fn allowlist_uses_the_client_address(guarded: Guarded) {
    let (here, elsewhere) = (guarded.app.key(&["--ip", "127.0.0.1"]), guarded.app.key(&["--ip", "203.0.113.9"]));
    for forged in [None, Some(("x-forwarded-for", "203.0.113.9"))] {
        let headers = |key: &'static str| [("x-forwarded-for", key)];
        let more = forged.map_or(vec![], |(_, address)| headers(address).to_vec());
        let ours = guarded.get(&[&[("x-api-key", here.secret.as_str())], &more[..]].concat()).await;
        assert_eq!((ours.status, guarded.upstream.seen().len()), (200, 1), "{}", ours.text);
        let theirs = guarded.get(&[&[("x-api-key", elsewhere.secret.as_str())], &more[..]].concat()).await;
        guarded.refused(&theirs, 403);
    }
}

async fn preflight_needs_no_key(guarded: Guarded) {
    let options = || guarded.client.request(Method::OPTIONS, format!("{}/orders?a=b", guarded.proxy.url));
    let asks = options().header("origin", "https://page.test").header("x-latchkey-tenant", "forged");
    let answer = Answer::to(asks.header("access-control-request-method", "POST")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let seen = guarded.arrived();
    assert_eq!((seen.method.as_str(), seen.uri.to_string().as_str()), ("OPTIONS", "/orders?a=b"));
    assert_eq!(identity(&seen), [""; 6]);
    guarded.refused(&Answer::to(options()).await, 401);
    let other = guarded.client.post(format!("{}/orders", guarded.proxy.url));
    guarded.refused(&Answer::to(other.header("access-control-request-method", "POST")).await, 401);
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

async fn wait_until_gone(program: &Program) {
    let address = program.url.strip_prefix("http://").unwrap();
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

with_every_proxy!(
    valid_key_passes_with_its_identity,
    client_cannot_forge_identity_headers,
    client_cannot_strip_identity_headers,
    client_cannot_choose_the_logged_method,
    call_arrives_unchanged,
    refusals_are_returned_and_nothing_reaches_the_upstream,
    rate_limit_is_enforced,
    allowlist_uses_the_client_address,
    preflight_needs_no_key,
    unreachable_latchkey_denies_requests,
    hanging_latchkey_does_not_hold_requests,
);
