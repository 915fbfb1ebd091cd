//! `latchkey-client` and a service guarded by it, against the program that they are made for.

use std::{net::SocketAddr, time::Duration};

use axum::{Extension, Router, routing::get};
use latchkey_client::{Answer as ClientAnswer, Caller, Error, Guard, Latchkey, Verdict, VerifyRequest};
use reqwest::{Client, Method};
use test_support::test_app::{Answer, Base, Key, TestApp, with};
use tokio::net::TcpListener;

use super::guard::guarded;

test_support::on_both_databases! {
    test_support::test_app::Base:
    valid_key_is_described,
    every_verdict_reaches_the_verifier,
    key_without_verify_permission_is_reported,
    guarded_service_follows_key_changes,
    guard_is_checked_at_startup,
    every_refusal_reaches_the_client,
    garbled_credential_is_a_client_error,
    cache_keeps_revoked_keys_only,
    unreachable_latchkey_denies_requests,
}

fn verifier(app: &TestApp) -> Latchkey {
    Latchkey::new(&app.program.url, app.key(&["--group", "Verifier", "--scope", "read"]).secret).unwrap()
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    url
}

fn service() -> Router {
    Router::new().route("/", get(async |Extension(caller): Extension<Caller>| caller.key_id))
}

async fn behind(guard: Guard) -> String {
    serve(service().layer(guard)).await
}

async fn call(url: &str, key: &Key, headers: &[(&str, &str)]) -> Answer {
    Answer::to(with(Client::new().request(Method::GET, url).bearer_auth(&key.secret), headers)).await
}

/// Checks a refusal of the guard. It has no `type` page of its own.
fn refused<'a>(answer: &'a Answer, status: u16, code: &str) -> &'a Answer {
    assert_eq!((answer.status, answer.header("content-type")), (status, "application/problem+json"), "{}", answer.text);
    assert_eq!(answer.json()["code"], code, "{}", answer.text);
    answer
}

async fn valid_key_is_described(base: Base) {
    let app = base.start();
    let property = app.property("acme", "Harbour House");
    let key = app.key(&["--property", &property, "--expires", "2035-01-31T00:00:00Z", "--rate-limit", "77"]);
    let question = VerifyRequest::new(&*key.secret).permission("reservations:read").property(&property);
    let ClientAnswer::Valid(caller) = verifier(&app).verify(&question).await.unwrap() else { panic!("it is good") };
    assert_eq!((&caller.key_id, caller.name.as_deref(), &*caller.kind), (&key.id, Some("PMS"), "tenant"));
    assert_eq!((caller.tenant.slug.as_deref(), caller.group.as_deref()), (Some("acme"), Some("Full access")));
    assert_eq!((&caller.permissions, caller.scopes.len()), (&vec!["*".to_owned()], 2));
    assert!(caller.reaches(&property) && !caller.reaches("prp_other") && !caller.all_properties);
    assert_eq!(caller.expires_at.unwrap().to_rfc3339(), "2035-01-31T00:00:00+00:00");
    let quota = caller.rate_limit.unwrap();
    assert_eq!((quota.limit, quota.remaining), (77, 76));
    assert_eq!((caller.owner, caller.rotation), (None, None));
}

async fn every_verdict_reaches_the_verifier(base: Base) {
    let app = base.start();
    let asker = verifier(&app);
    let property = app.property("acme", "Harbour House");
    let revoked = app.key(&[]);
    app.revoke(&revoked);
    let far = app.key(&["--ip", "10.0.0.0/8"]);
    let page = app.key(&["--origin", "https://book.example.com"]);
    let reader = app.key(&["--scope", "read"]);
    let narrow = app.key(&["--property", &property]);
    app.program.command(&["tenant", "create", "--slug", "other", "--name", "Other Hotels"]);
    let foreign = app.key_of("other", &[]);
    let about = |key: &Key| VerifyRequest::new(&*key.secret);
    for (question, verdict, status) in [
        (VerifyRequest::new("lk_tk_nonsense"), Verdict::Malformed, 401),
        (about(&foreign), Verdict::NotFound, 401),
        (about(&revoked), Verdict::Revoked, 401),
        (about(&far).ip("192.0.2.1".parse().unwrap()), Verdict::IpNotAllowed, 403),
        (about(&far), Verdict::IpNotAllowed, 403),
        (about(&page).origin("https://other.example.com"), Verdict::OriginNotAllowed, 403),
        (about(&reader).permission("reservations:write"), Verdict::InsufficientPermissions, 403),
        (about(&narrow).property("prp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB"), Verdict::PropertyNotAllowed, 403),
        (about(&reader).cost(61), Verdict::RateLimited, 429),
    ] {
        let ClientAnswer::Refused(refusal) = asker.verify(&question).await.unwrap() else { panic!("{verdict}") };
        assert_eq!((&refusal.verdict, refusal.status), (&verdict, status));
        assert!(refusal.message.contains(' ') && refusal.request_id.starts_with("req_"), "{refusal:?}");
    }
    assert!(asker.verify(&about(&far).ip("10.1.2.3".parse().unwrap())).await.unwrap().is_valid());
    assert!(asker.verify(&about(&page).origin("https://BOOK.example.com")).await.unwrap().is_valid());
}

async fn key_without_verify_permission_is_reported(base: Base) {
    let app = base.start();
    let group = "Read only";
    let (mute, revoked) = (app.key(&["--group", group, "--scope", "write"]), app.key(&["--group", "Verifier"]));
    app.revoke(&revoked);
    for (asking, expected) in [(mute, "insufficient_scope"), (revoked, "key_revoked")] {
        let latchkey = Latchkey::new(&app.program.url, asking.secret).unwrap();
        let error = latchkey.verify(&VerifyRequest::new("lk_tk_nonsense")).await.unwrap_err();
        assert!(matches!(&error, Error::NotAnswered { code, .. } if code == expected), "{error:?}");
    }
}

async fn guarded_service_follows_key_changes(base: Base) {
    let app = base.start();
    let asking = app.key(&["--group", "Verifier"]);
    let key = app.key(&[]);
    let url = serve(guarded(service(), &app.program.url, asking.secret).unwrap()).await;
    for _ in 0..2 {
        let answer = call(&url, &key, &[]).await;
        assert_eq!((answer.status, &answer.text), (200, &key.id));
    }
    app.revoke(&key);
    refused(&call(&url, &key, &[]).await, 401, "key_revoked").says("revoked");
}

async fn guard_is_checked_at_startup(base: Base) {
    let app = base.start();
    let guard = || verifier(&app).guard();
    guard().permission("invoices:export").cost(1000).check().await.unwrap();
    for (wrong, field) in [(guard().permission("Invoices"), "permission"), (guard().cost(1001), "cost")] {
        let error = wrong.check().await.unwrap_err();
        assert!(matches!(&error, Error::NotAnswered { wrong, .. } if wrong == &[field]), "{error:?}");
    }
    let over = app.key(&["--group", "Verifier"]);
    let asker = Latchkey::new(&app.program.url, over.secret.clone()).unwrap();
    asker.guard().check().await.unwrap();
    app.revoke(&over);
    let error = asker.guard().check().await.unwrap_err();
    assert!(matches!(&error, Error::NotAnswered { code, .. } if code == "key_revoked"), "{error:?}");
}

async fn every_refusal_reaches_the_client(base: Base) {
    let app = base.start();
    let url = behind(verifier(&app).guard().permission("reservations:write")).await;
    let far = app.key(&["--ip", "10.0.0.0/8"]);
    refused(&call(&url, &far, &[]).await, 403, "ip_not_allowed").says("127.0.0.1");
    let page = app.key(&["--origin", "https://book.example.com"]);
    refused(&call(&url, &page, &[]).await, 403, "origin_not_allowed");
    assert_eq!(call(&url, &page, &[("origin", "https://book.example.com")]).await.status, 200);
    let reader = app.key(&["--scope", "read"]);
    let answer = call(&url, &reader, &[]).await;
    let challenge = "Bearer realm=\"latchkey\", error=\"insufficient_scope\", scope=\"reservations:write\"";
    assert_eq!(refused(&answer, 403, "insufficient_scope").header("www-authenticate"), challenge);

    let slow = app.key(&["--rate-limit", "1"]);
    assert_eq!(call(&url, &slow, &[]).await.status, 200);
    let answer = call(&url, &slow, &[]).await;
    let wait: u64 = refused(&answer, 429, "rate_limited").header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
}

async fn garbled_credential_is_a_client_error(base: Base) {
    let app = base.start();
    let of_query = |request: &axum::http::request::Parts| request.uri.query().map(str::to_owned);
    let url = behind(verifier(&app).guard().property(of_query)).await;
    let key = app.key(&[]);
    refused(&call(&format!("{url}?no-property"), &key, &[]).await, 400, "invalid");
    refused(&call(&url, &key, &[("origin", "book.acme.test")]).await, 400, "invalid");
    let endless = Key { secret: "x".repeat(70_000), ..key.clone() };
    refused(&call(&url, &endless, &[]).await, 400, "invalid");
    assert_eq!(call(&url, &key, &[("origin", "null")]).await.status, 200);
}

async fn cache_keeps_revoked_keys_only(base: Base) {
    let app = base.start();
    let url = behind(verifier(&app).guard().cache(Duration::from_secs(60))).await;
    let (known, fresh) = (app.key(&["--rate-limit", "1"]), app.key(&[]));
    for _ in 0..3 {
        assert_eq!(call(&url, &known, &[]).await.status, 200, "what is remembered is not counted");
    }
    app.revoke(&known);
    app.revoke(&fresh);
    assert_eq!(call(&url, &known, &[]).await.status, 200, "that is what a cache costs");
    refused(&call(&url, &known, &[("origin", "https://book.example.com")]).await, 401, "key_revoked");
    refused(&call(&url, &fresh, &[]).await, 401, "key_revoked");
}

async fn unreachable_latchkey_denies_requests(base: Base) {
    let app = base.start();
    let url = behind(verifier(&app).guard()).await;
    let key = app.key(&[]);
    assert_eq!(call(&url, &key, &[]).await.status, 200);
    drop(app);
    let answer = call(&url, &key, &[]).await;
    assert_eq!(refused(&answer, 503, "unavailable").header("retry-after"), "1");
}
