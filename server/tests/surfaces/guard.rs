//! The console's middleware: headers, cross-site requests, guesses, and bodies of any size.

use serde_json::{Value, json};
use test_support::program::{PASSWORD, Program};

#[tokio::test]
async fn every_page_has_a_strict_policy() {
    let program = Program::start();
    program.tenant("acme");
    let admin = program.signed_in("tenant-admin@acme.test").await;
    for path in ["/sign-in", "/tenant-api-keys", "/tenant-api-keys/new", "/nowhere"] {
        let answer = if path == "/sign-in" { program.stranger().get(path).await } else { admin.get(path).await };
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        for part in [
            "default-src 'none'",
            "'wasm-unsafe-eval'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "object-src 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe-inline"), "{path}: {policy}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(header("cache-control"), "no-store");
        assert!(answer.headers().get("strict-transport-security").is_none(), "not without https");
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        let page = answer.text().await.unwrap();
        assert!(!page.contains(" style=\""), "{path} has an inline style");
        for script in page.split("<script").skip(1) {
            assert!(script.split('>').next().unwrap().contains(&nonce), "{path} has a script without the nonce");
        }
    }
    let other = program.stranger().get("/sign-in").await.headers()["content-security-policy"].clone();
    assert_ne!(other, program.stranger().get("/sign-in").await.headers()["content-security-policy"], "a nonce is new");
}

#[tokio::test]
async fn https_cookies_have_the_host_prefix() {
    let program = Program::start_with(&["--public-url", "https://keys.example.com/"]);
    program.tenant("acme");
    let browser = program.stranger().at_host("keys.example.com");
    let answer = browser.sign_in("tenant-admin@acme.test", PASSWORD).await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-latchkey_session="), "{cookie}");
    for part in ["Path=/", "HttpOnly", "SameSite=Lax", "Secure"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
}

#[tokio::test]
async fn https_site_with_an_http_public_url_is_reported_once() {
    const WARNING: &str = "session cookies are not Secure: set LATCHKEY_PUBLIC_URL";
    let https = [("x-forwarded-proto", "https"), ("x-forwarded-for", "203.0.113.9")];
    let request = async |program: &Program, path: &str, headers: &[(&str, &str)]| {
        let request = reqwest::Client::new().get(format!("{}{path}", program.url));
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap();
    };
    let warnings = |program: &Program| program.log.lock().unwrap().matches(WARNING).count();

    let program = Program::start_with(&["--trusted-proxies", "127.0.0.1"]);
    request(&program, "/sign-in", &[("x-forwarded-proto", "http"), https[1]]).await;
    request(&program, "/sign-in", &[https[1], ("x-request-id", "before")]).await;
    program.wait_for_log("request_id=before").await;
    assert_eq!(warnings(&program), 0, "the site is reached by http");
    request(&program, "/sign-in", &https).await;
    assert!(program.wait_for_log(WARNING).await.contains(&program.url), "it names the public URL");
    request(&program, "/sign-in", &https).await;
    request(&program, "/livez", &[("x-request-id", "after")]).await;
    program.wait_for_log("request_id=after").await;
    assert_eq!(warnings(&program), 1);

    for options in [&[][..], &["--trusted-proxies", "127.0.0.1", "--public-url", "https://keys.example.com"]] {
        let program = Program::start_with(options);
        request(&program, "/sign-in", &[https[0], https[1], ("x-request-id", "after")]).await;
        program.wait_for_log("request_id=after").await;
        assert_eq!(warnings(&program), 0, "{options:?}");
    }
}

#[tokio::test]
async fn cross_site_requests_are_refused() {
    let program = Program::start();
    program.tenant("acme");
    let key = program.key("acme", "PMS");
    let admin = program.signed_in("tenant-admin@acme.test").await;
    let body = json!({ "of": "tenant", "id": key["id"] });
    for headers in [
        &[][..],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
        &[("sec-fetch-site", "same-origin"), ("host", "evil.example")],
    ] {
        let answer = admin.call_with("/console/revoke_key", &body, headers).await;
        assert_eq!(answer.status(), 403, "{headers:?}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    let refused = admin.call_with("/console/revoke_key", &body, &[("origin", "https://evil.example")]).await;
    let detail = refused.json::<Value>().await.unwrap()["detail"].to_string();
    assert!(detail.contains(&program.url) && detail.contains("LATCHKEY_PUBLIC_URL"), "{detail}");
    let origin = program.url.clone();
    let answer = admin.call_with("/console/revoke_key", &body, &[("origin", &origin)]).await;
    assert_eq!(answer.status(), 200, "an old browser on the console itself");
}

#[tokio::test]
async fn guesses_are_throttled_without_locking_people_out() {
    let program = Program::start_with(&["--trusted-proxies", "127.0.0.0/8"]);
    program.tenant("acme");
    let guess = async |address: &str, password: &str| {
        let body = format!("email=member%40acme.test&password={}&next=", password.replace(' ', "+"));
        let request = reqwest::Client::new()
            .post(format!("{}/console/sign_in", program.url))
            .header("sec-fetch-site", "same-origin")
            .header("x-forwarded-for", address)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        request.send().await.unwrap().status().as_u16()
    };
    for _ in 0..10 {
        assert_eq!(guess("198.51.100.9", "a wrong guess").await, 401);
    }
    assert_eq!(guess("198.51.100.9", "a wrong guess").await, 429);
    assert_eq!(guess("6.6.6.6, 198.51.100.9", "a wrong guess").await, 429, "what a client claims is not believed");
    assert_eq!(guess("203.0.113.7", PASSWORD).await, 200);
}

#[tokio::test]
async fn large_and_malformed_bodies_are_refused() {
    let program = Program::start();
    program.tenant("acme");
    let admin = program.signed_in("tenant-admin@acme.test").await;
    let large = json!({ "id": "x".repeat(100_000) });
    assert_eq!(admin.call("/console/revoke_key", &large).await.status(), 413);
    assert_eq!(admin.call("/console/revoke_key", &json!([1])).await.status(), 400);
    assert_eq!(admin.call("/console/no_such_function", &json!({})).await.status(), 404);
    assert_eq!(admin.get("/console/revoke_key").await.status(), 405);
}

#[test_support::requires(site)]
#[tokio::test]
async fn static_files_are_compressed_and_cached() {
    let program = Program::start();
    let page = program.stranger().get("/sign-in").await.text().await.unwrap();
    let stylesheet = page.split("href=\"/latchkey-").nth(1).unwrap().split('"').next().unwrap();
    let path = format!("{}/latchkey-{stylesheet}", program.url);
    let client = reqwest::Client::new();
    let plain = client.get(&path).send().await.unwrap();
    assert_eq!(plain.headers()["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(plain.headers()["content-type"], "text/css; charset=utf-8");
    assert!(plain.headers().get("content-encoding").is_none());
    let etag = plain.headers()["etag"].clone();
    for (accepted, expected) in [("gzip, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip")] {
        let answer = client.get(&path).header("accept-encoding", accepted).send().await.unwrap();
        assert_eq!(answer.headers()["content-encoding"], expected);
    }
    assert_eq!(client.get(&path).header("if-none-match", etag).send().await.unwrap().status(), 304);
    for hidden in ["/manifest.json", "/favicon.svg.br", "/../Cargo.toml", "/pkg/"] {
        assert_eq!(client.get(format!("{}{hidden}", program.url)).send().await.unwrap().status(), 404, "{hidden}");
    }
}
