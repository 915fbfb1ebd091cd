//! `/gateway/auth`, asked as proxies ask: by the requests that their documentation says they send.

use reqwest::{Method, RequestBuilder};
use test_support::test_app::{Answer, Base, Key, NO_SUCH_ID, TestApp, with};

const IDENTITY: [&str; 6] = [
    "x-latchkey-tenant",
    "x-latchkey-key-id",
    "x-latchkey-key-name",
    "x-latchkey-owner",
    "x-latchkey-permissions",
    "x-latchkey-properties",
];

fn identity(answer: &Answer) -> [&str; 6] {
    assert_eq!(answer.status, 200, "{}", answer.text);
    IDENTITY.map(|name| {
        assert!(answer.headers.contains_key(name), "{name} is always there");
        answer.header(name)
    })
}

async fn ask(app: &TestApp, query: &str, key: &Key) -> Answer {
    app.get_with(&format!("/gateway/auth{query}"), &[("x-api-key", &key.secret)]).await
}

async fn valid_key_is_admitted_with_its_identity(base: Base) {
    let app = base.start();
    let (harbour, old_town) = (app.property("acme", "Harbour House"), app.property("acme", "Old Town"));
    let key = app.key(&["--scope", "write", "--property", &old_town, "--property", &harbour]);
    for (query, slash) in [("?tenant=acme&permission=invoices:export", ""), ("", "/"), ("", "/anything/at%20all")] {
        let answer = ask(&app, &format!("{slash}{query}"), &key).await;
        let properties = format!("{harbour} {old_town}");
        assert_eq!(identity(&answer), ["acme", &key.id, "PMS", "", "*:write", &properties]);
        assert_eq!((answer.text.as_str(), answer.header("cache-control")), ("", "no-store"));
        assert!(answer.headers.contains_key("ratelimit") && answer.headers.contains_key("x-request-id"));
    }
    let all = app.key(&["--group", "Read only", "--scope", "write"]);
    assert_eq!(identity(&ask(&app, "", &all).await), ["acme", &all.id, "PMS", "", "", "*"]);
}

async fn any_method_is_accepted_and_the_body_is_ignored(base: Base) {
    let app = base.start();
    let key = app.key(&["--rate-limit", "1000"]);
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
        let request = |body: Vec<u8>| {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = app.request(method, "/gateway/auth").bearer_auth(&key.secret);
            request.header("sec-fetch-site", "cross-site").header("origin", "https://page.test").body(body)
        };
        assert_eq!(Answer::to(request(vec![b'x'; 10])).await.status, 200, "{method}");
        assert_eq!(Answer::to(request(Vec::new())).await.status, 200, "{method}");
    }
    let long = app.request(Method::POST, "/gateway/auth").bearer_auth(&key.secret).body(vec![b'x'; 100_000]);
    assert_eq!(Answer::to(long).await.status, 200, "a body that is the upstream's");
    let preflight = app.request(Method::OPTIONS, "/gateway/auth").header("access-control-request-method", "POST");
    Answer::to(preflight.header("origin", "https://page.test")).await.refused(401, "missing_credential");
}

async fn refusals_match_the_public_api(base: Base) {
    let app = base.start();
    let harbour = app.property("acme", "Harbour House");
    app.program.command(&["tenant", "create", "--slug", "other", "--name", "Other"]);
    let key = app.key(&["--scope", "read", "--property", &harbour, "--rate-limit", "1"]);
    let revoked = app.key(&[]);
    app.revoke(&revoked);
    let foreign = app.key_of("other", &[]);
    for method in ["GET", "POST"] {
        let request = app.request(method.parse().unwrap(), "/gateway/auth").header("origin", "https://page.test");
        let answer = Answer::to(request).await;
        answer.refused(401, "missing_credential");
        assert_eq!(answer.header("access-control-allow-origin"), "https://page.test", "a page can read why");
    }
    ask(&app, "", &revoked).await.refused(401, "key_revoked");
    ask(&app, "?tenant=acme", &foreign).await.refused(401, "invalid_key");
    ask(&app, "?tenant=unknown", &key).await.refused(401, "invalid_key");
    ask(&app, "?permission=invoices:pay", &key).await.refused(403, "insufficient_scope").says("invoices:pay");
    let property = format!("?property=prp_{NO_SUCH_ID}");
    ask(&app, &property, &key).await.refused(403, "property_not_allowed");
    let answer = ask(&app, &format!("?property={harbour}&cost=2"), &key).await;
    answer.refused(429, "rate_limited").says("this call costs");
    assert!(!answer.headers.contains_key("retry-after"), "waiting does not help");
    let both = [("x-api-key", key.secret.as_str()), ("user-api-key", &revoked.secret)];
    app.get_with("/gateway/auth", &both).await.refused(400, "conflicting_credentials");
    assert_eq!(identity(&ask(&app, &format!("?property={harbour}&cost=0"), &key).await)[0], "acme");
    assert_eq!(identity(&ask(&app, "", &key).await)[0], "acme");
    let answer = ask(&app, "", &key).await;
    answer.refused(429, "rate_limited");
    assert_eq!(answer.quota(), (0, answer.header("retry-after").parse().unwrap()));
    assert_eq!(identity(&ask(&app, "?tenant=other", &foreign).await)[0], "other");
    assert_eq!(identity(&ask(&app, "", &foreign).await)[0], "other");
}

async fn clients_may_send_a_credential_of_the_other_api(base: Base) {
    let app = base.start();
    let (key, other) = (app.key(&[]), app.key(&[]));
    let asked = async |query: &str, lines: &[(&str, &str)]| app.get_with(&format!("/gateway/auth{query}"), lines).await;
    let jwt = ("authorization", "Bearer eyJhbGciOiJub25lIn0.e30.sig");
    let bearer = format!("Bearer {}", other.secret);
    for lines in [[jwt, ("x-api-key", &key.secret)], [("authorization", "Basic YTpi"), ("user-api-key", &key.secret)]] {
        assert_eq!(identity(&asked("", &lines).await)[1], key.id, "{lines:?}");
    }
    let both = [("authorization", bearer.as_str()), ("x-api-key", &key.secret)];
    asked("", &both).await.refused(400, "conflicting_credentials");
    assert_eq!(identity(&asked("?credential=x-api-key", &both).await)[1], key.id);
    assert_eq!(identity(&asked("?credential=Authorization", &both).await)[1], other.id);
    asked("?credential=user-api-key", &both).await.refused(401, "missing_credential");
    asked("?credential=cookie", &both).await.refused(422, "invalid").says("credential=x-api-key");
    app.get_with("/api/v1/key", &[jwt, ("x-api-key", &key.secret)]).await.refused(400, "conflicting_credentials");
}

async fn invalid_query_denies_the_request(base: Base) {
    let app = base.start();
    let key = app.key(&[]);
    for (query, wrong) in [
        ("?permision=a:read&cost=x", &["permision unknown", "cost malformed"][..]),
        ("/?permision=a:read", &["permision unknown"]),
        ("?permission=&tenant=&property=7", &["tenant malformed", "permission malformed", "property malformed"]),
        ("?permission=a:read&permission=b:read", &["permission sent_twice"]),
        ("?mode=ngnix", &["mode malformed"]),
        ("/v1/orders?cost=0", &["cost malformed"]),
    ] {
        let answer = ask(&app, query, &key).await;
        let mut fields = answer.refused(422, "invalid").says("operator").wrong_fields();
        fields.sort_by_key(|field| wrong.iter().position(|wrong| wrong == field));
        assert_eq!(fields, wrong, "{query}");
    }
    let answer = ask(&app, "?mode=nginx&permision=a:read", &key).await;
    assert_eq!((answer.status, answer.header("x-auth-status")), (403, "422"));
}

async fn nginx_gets_statuses_that_it_supports(base: Base) {
    let app = base.start();
    let key = app.key(&["--scope", "read", "--rate-limit", "1"]);
    let asked = async |query: &str| ask(&app, &format!("?mode=nginx{query}"), &key).await;
    let answer = asked("&permission=a:write").await;
    answer.refused(403, "insufficient_scope");
    assert_eq!(answer.header("x-auth-status"), "");
    assert_eq!(identity(&asked("").await)[1], key.id);
    let answer = asked("").await;
    assert_eq!((answer.status, answer.header("x-auth-status")), (403, "429"));
    assert_eq!(
        (answer.header("cache-control"), answer.quota().1.to_string().as_str()),
        ("no-store", answer.header("retry-after"))
    );
    app.get_with("/gateway/auth?mode=nginx", &[]).await.refused(401, "missing_credential");
    // nginx would pass this header on to the API.
    let other = app.key(&[]);
    let forged = [("x-api-key", other.secret.as_str()), ("x-latchkey-future", "forged")];
    let answer = app.get_with("/gateway/auth?mode=nginx", &forged).await;
    assert_eq!((answer.status, answer.header("x-auth-status")), (403, "400"), "{}", answer.text);
    assert_eq!(app.get_with("/gateway/auth", &forged).await.status, 200, "other proxies remove it");
    let log = format!("SELECT CAST(status AS TEXT) FROM usage_event WHERE api_key_id = '{}' ORDER BY id", key.id);
    app.see(&log, &["403", "200", "429"].map(str::to_owned)).await;
}

/// GET, regardless of the client's method, with the client's own headers.
fn traefik(app: &TestApp, key: &Key) -> RequestBuilder {
    let headers = [
        ("x-forwarded-method", "DELETE"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "api.acme.test"),
        ("x-forwarded-uri", "/v1/orders?tenant=other&cost=0"),
        ("x-forwarded-for", "203.0.113.9"),
        ("accept-encoding", "gzip"),
        ("user-agent", "curl/8"),
    ];
    with(app.request(Method::GET, "/gateway/auth?tenant=acme&permission=orders:read"), &headers)
        .bearer_auth(&key.secret)
}

/// The client's method, and its path and query behind the prefix that is in the file we ship; of the body nothing.
fn envoy(app: &TestApp, key: &Key, target: &str) -> RequestBuilder {
    let shipped = include_str!("../../../deploy/proxies/envoy.yaml");
    let prefix = shipped.lines().find_map(|line| line.trim().strip_prefix("path_prefix: \"")).unwrap();
    let prefix = prefix.trim_end_matches('"');
    let headers = [("content-length", "0"), ("x-forwarded-for", "203.0.113.9"), ("x-envoy-internal", "true")];
    with(app.request(Method::PUT, &format!("{prefix}{target}")), &headers).bearer_auth(&key.secret)
}

async fn traefik_and_envoy_paths_are_answered(base: Base) {
    let app = base.start_with(&["--trusted-proxies", "127.0.0.1"]);
    let key = app.key(&["--ip", "203.0.113.9", "--rate-limit", "3"]);
    let poor = app.key(&["--scope", "write"]);
    assert_eq!(identity(&Answer::to(traefik(&app, &key)).await)[1], key.id);
    Answer::to(traefik(&app, &poor)).await.refused(403, "insufficient_scope");
    for target in ["/", "/v1/orders?tenant=other&permission=nonsense&cost=0&mode=nginx"] {
        assert_eq!(identity(&Answer::to(envoy(&app, &key, target)).await)[1], key.id);
        Answer::to(envoy(&app, &poor, target)).await.refused(403, "insufficient_scope");
    }
    Answer::to(envoy(&app, &key, "/?cost=0")).await.refused(429, "rate_limited");
    let log = format!(
        "SELECT method || ' ' || route || ' ' || ip FROM usage_event WHERE api_key_id = '{}' ORDER BY id",
        key.id
    );
    let (get, put) = ("DELETE /gateway/auth 203.0.113.9".to_owned(), "PUT /gateway/auth 203.0.113.9".to_owned());
    app.see(&log, &[get, put.clone(), put.clone(), put]).await;
}

async fn client_address_behind_an_untrusted_proxy_is_unknown(base: Base) {
    let app = base.start();
    let key = app.key(&["--ip", "127.0.0.0/8", "--ip", "203.0.113.9"]);
    for forwarded in [None, Some("203.0.113.9")] {
        let headers = [("x-api-key", key.secret.as_str()), ("x-forwarded-for", forwarded.unwrap_or_default())];
        let headers = &headers[..if forwarded.is_some() { 2 } else { 1 }];
        let answer = app.get_with("/gateway/auth", headers).await;
        answer.refused(403, "ip_not_allowed").says("LATCHKEY_TRUSTED_PROXIES");
        app.get_with("/gateway/auth?mode=nginx", headers).await.refused(403, "ip_not_allowed");
    }
    let free = app.key(&[]);
    assert_eq!(identity(&ask(&app, "", &free).await)[1], free.id, "a key without an allowlist works");
    for key in [key, free] {
        let log = format!("SELECT DISTINCT COALESCE(ip, 'unknown') FROM usage_event WHERE api_key_id = '{}'", key.id);
        app.see(&log, &["unknown".to_owned()]).await;
    }
}

async fn trusted_proxy_must_send_the_client_address(base: Base) {
    let app = base.start_with(&["--trusted-proxies", "127.0.0.1"]);
    let key = app.key(&["--ip", "127.0.0.0/8"]);
    let from = async |forwarded: &str| {
        app.get_with("/gateway/auth", &[("x-api-key", &key.secret), ("x-forwarded-for", forwarded)]).await
    };
    ask(&app, "", &key).await.refused(403, "ip_not_allowed").says("LATCHKEY_TRUSTED_PROXIES");
    from("unknown").await.refused(403, "ip_not_allowed").says("cannot be parsed");
    from("203.0.113.9").await.refused(403, "ip_not_allowed").says("from 203.0.113.9");
    assert_eq!(identity(&from("127.0.0.1").await)[1], key.id, "the client may be on the proxy's own machine");
}

/// A person's password, for as long as the old ways last.
async fn people_are_identified_by_their_ids(base: Base) {
    let app = base.start();
    let person = app.person("ana", "tenant-admin");
    let ask = |query: &str| {
        let request = app.request(Method::GET, &format!("/gateway/auth{query}"));
        request.basic_auth("ana@acme.test", Some(test_support::program::PASSWORD))
    };
    let answer = Answer::to(ask("?tenant=acme")).await;
    let [tenant, key, name, owner, _, properties] = identity(&answer);
    assert_eq!([tenant, key, name, owner, properties], ["acme", "", "", &person, "*"]);
    assert!(answer.headers.contains_key("deprecation"));
    assert!(identity(&Answer::to(ask("")).await)[0].starts_with("ten_"));
    Answer::to(ask("?tenant=other")).await.refused(401, "invalid_credentials");
}

async fn oversized_identity_is_refused_rather_than_truncated(base: Base) {
    let app = base.start();
    let permissions: Vec<String> = (0..150).map(|number| format!("{}-{number:03}:read", "x".repeat(55))).collect();
    let key = |name: &str, permissions: &[String]| {
        let words = ["group", "create", "--tenant", "acme", "--name", name, "--type", "tenant-api-key"];
        let options = permissions.iter().flat_map(|permission| ["--permission", permission]);
        app.program.command(&words.into_iter().chain(options).collect::<Vec<_>>());
        app.key(&["--group", name])
    };
    let (fitting, oversized) = (key("Fitting", &permissions[..120]), key("Oversized", &permissions));
    let answer = ask(&app, "", &fitting).await;
    assert_eq!(identity(&answer)[4], permissions[..120].join(" "), "all of them");
    for query in ["", "?mode=nginx"] {
        let answer = ask(&app, query, &oversized).await;
        answer.refused(403, "identity_too_large").says("8192").says("fewer permissions");
        assert!(IDENTITY.iter().all(|name| !answer.headers.contains_key(*name)), "{:?}", answer.headers);
    }
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    oversized_identity_is_refused_rather_than_truncated,
    valid_key_is_admitted_with_its_identity,
    any_method_is_accepted_and_the_body_is_ignored,
    refusals_match_the_public_api,
    clients_may_send_a_credential_of_the_other_api,
    invalid_query_denies_the_request,
    nginx_gets_statuses_that_it_supports,
    traefik_and_envoy_paths_are_answered,
    client_address_behind_an_untrusted_proxy_is_unknown,
    trusted_proxy_must_send_the_client_address,
    people_are_identified_by_their_ids,
}
