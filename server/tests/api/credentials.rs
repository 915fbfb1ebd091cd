//! The headers that can carry a credential, and those that cannot.

use serde_json::json;
use test_support::{
    program::draft,
    test_app::{Answer, Base, with},
};

const KEY: &str = "/api/v1/key";

async fn three_headers_carry_a_key(base: Base) {
    let app = base.start();
    let (key, other) = (app.key(&["--rate-limit", "1000"]), app.key(&[]));
    let (secret, bearer) = (key.secret.as_str(), format!("Bearer {}", key.secret));
    let spelled = |scheme: &str, between: &str| format!("{scheme}{between}{secret}");
    for headers in [
        &[("authorization", bearer.as_str())][..],
        &[("Authorization", &spelled("bearer", " "))],
        &[("AUTHORIZATION", &spelled("BEARER", "   "))],
        &[("authorization", &spelled("bEaReR", "\t \t"))],
        &[("authorization", &format!("  {bearer}\t "))],
        &[("x-api-key", secret)],
        &[("X-API-Key", secret)],
        &[("X-Api-Key", &format!(" \t{secret}  "))],
        &[("user-api-key", secret)],
        &[("User-API-Key", secret)],
        &[("authorization", &bearer), ("x-api-key", secret)],
        &[("authorization", &bearer), ("x-api-key", secret), ("user-api-key", secret)],
        &[("x-api-key", secret), ("user-api-key", "")],
        &[("x-api-key", secret), ("authorization", "Digest x")],
    ] {
        let found = app.get_with(KEY, headers).await.good();
        assert_eq!(found["id"], json!(key.id), "{headers:?}");
    }
    let basic = "Basic YW5hQGFjbWUudGVzdDpwYXNzd29yZA==";
    for headers in [
        &[("x-api-key", secret), ("user-api-key", other.secret.as_str())][..],
        &[("authorization", &bearer), ("x-api-key", &other.secret)],
        &[("authorization", &bearer), ("x-api-key", "x")],
        &[("authorization", basic), ("x-api-key", secret)],
        &[("x-api-key", secret), ("x-api-key", secret)],
        &[("x-api-key", secret), ("X-API-KEY", &other.secret)],
        &[("authorization", &bearer), ("authorization", &bearer)],
        &[("user-api-key", secret), ("user-api-key", "")],
    ] {
        app.get_with(KEY, headers).await.refused(400, "conflicting_credentials");
    }
}

async fn other_headers_carry_no_key(base: Base) {
    let app = base.start();
    let secret = app.key(&[]).secret;
    let cookie = format!("x-api-key={secret}; authorization=Bearer {secret}; latchkey_session={secret}");
    for headers in [
        &[("cookie", cookie.as_str())][..],
        &[("authorization", &secret)],
        &[("authorization", &format!("Token {secret}"))],
        &[("authorization", &format!("Bearer{secret}"))],
        &[("authorization", "Bearer")],
        &[("x-api-key", "")],
        &[("api-key", &secret)],
        &[("x-api-token", &secret)],
        &[("proxy-authorization", &format!("Bearer {secret}"))],
    ] {
        app.get_with(KEY, headers).await.refused(401, "missing_credential");
    }
    for query in ["api_key", "key", "access_token", "authorization", "x-api-key", "user-api-key"] {
        app.get_with(&format!("{KEY}?{query}={secret}"), &[]).await.refused(401, "missing_credential");
    }
    let body = json!({ "api_key": secret, "x-api-key": secret, "access_token": secret }).to_string();
    let json = [("content-type", "application/json")];
    app.post_with("/api/v1/reservations", &json, body).await.refused(401, "missing_credential");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("access_token={secret}");
    app.post_with("/api/v1/reservations", &form, body).await.refused(401, "missing_credential");
}

async fn each_credential_opens_one_surface(base: Base) {
    let app = base.start();
    app.person("ana", "tenant-admin");
    let key = app.key(&[]);
    let browser = app.program.signed_in("ana@acme.test").await;
    let cookie = browser.cookie.clone().unwrap();
    app.get_with(KEY, &[("cookie", &cookie)]).await.refused(401, "missing_credential");
    let session = cookie.split_once('=').unwrap().1;
    app.get(KEY, session).await.refused(401, "invalid_key");

    let body = json!({ "of": "tenant", "draft": draft("Mine", "x"), "expiration": "never" });
    let revoking = json!({ "of": "tenant", "id": key.id });
    let credentials = [("x-api-key", key.secret.clone()), ("authorization", format!("Bearer {}", key.secret))];
    for (name, value) in &credentials {
        let headers = [("sec-fetch-site", "same-origin"), (*name, value.as_str())];
        for (function, body) in [("/console/generate_key", &body), ("/console/revoke_key", &revoking)] {
            let answer = app.program.stranger().call_with(function, body, &headers).await;
            assert_eq!(answer.status(), 401, "{function} with {name}");
        }
        let page = app.program.stranger();
        assert_eq!(page.get("/tenant-api-keys").await.status(), 303, "to the sign-in");
        let page = Answer::to(with(app.request(reqwest::Method::GET, "/tenant-api-keys"), &headers)).await;
        assert!(!page.text.contains(&key.id) && !page.text.contains("PMS"), "{}", page.text);
    }
    app.get(KEY, &key.secret).await.good();
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    three_headers_carry_a_key,
    other_headers_carry_no_key,
    each_credential_opens_one_surface,
}
