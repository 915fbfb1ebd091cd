//! `GET /key`

use serde_json::json;
use test_support::test_app::{Base, day};

const KEY: &str = "/api/v1/key";

async fn key_describes_itself_and_never_its_secret(base: Base) {
    let app = base.start();
    let (harbour, old_town) = (app.property("acme", "Harbour House"), app.property("acme", "Old Town"));
    let expires = format!("{}T00:00:00Z", day(40));
    let words = ["--name", "Booking widget", "--property", &harbour, "--property", &old_town, "--rate-limit", "120"];
    let words = [&words[..], &["--expires", &expires, "--group", "Read only", "--scope", "read"]].concat();
    let made = app.program.command(&[&["key", "create", "--tenant", "acme"], &words[..]].concat());
    let secret = made["secret"].as_str().unwrap();
    let answer = app.get(KEY, secret).await;
    assert!(!answer.text.contains(&secret[6..14]), "{}", answer.text);
    let mut found = answer.good();
    assert!(found["tenant"]["id"].as_str().unwrap().starts_with("ten_"));
    found["tenant"]["id"] = json!("ten_");
    let reset = found["rate_limit"]["reset_seconds"].take().as_u64().unwrap();
    assert!((1..=60).contains(&reset));
    let expected = json!({
        "id": made["id"],
        "kind": "tenant",
        "name": "Booking widget",
        "tenant": { "id": "ten_", "slug": "acme" },
        "owner": null,
        "group": "Read only",
        "scopes": ["read"],
        "permissions": ["*:read"],
        "all_properties": false,
        "properties": [harbour, old_town],
        "expires_at": expires,
        "rate_limit": { "limit": 120, "remaining": 119, "reset_seconds": null },
        "rotation": null,
    });
    assert_eq!(found, expected);
}

async fn any_valid_key_describes_itself(base: Base) {
    let app = base.start();
    app.check_reading(KEY, None, "GET,HEAD").await;
    let verifier = app.key(&["--group", "Verifier"]);
    assert_eq!(app.get(KEY, &verifier.secret).await.good()["permissions"], json!(["keys:verify"]));
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    key_describes_itself_and_never_its_secret,
    any_valid_key_describes_itself,
}
