//! `GET /key`

use serde_json::json;

use crate::api::stage::{Base, day};

const KEY: &str = "/api/v1/key";

async fn key_describes_itself_and_never_its_secret(base: Base) {
    let stage = base.stage();
    let (harbour, old_town) = (stage.property("acme", "Harbour House"), stage.property("acme", "Old Town"));
    let expires = format!("{}T00:00:00Z", day(40));
    let words = ["--name", "Booking widget", "--property", &harbour, "--property", &old_town, "--rate-limit", "120"];
    let words = [&words[..], &["--expires", &expires, "--group", "Read only", "--scope", "read"]].concat();
    let made = stage.program.command(&[&["key", "create", "--tenant", "acme"], &words[..]].concat());
    let secret = made["secret"].as_str().unwrap();
    let answer = stage.get(KEY, secret).await;
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
    let stage = base.stage();
    stage.check_reading(KEY, None, "GET,HEAD").await;
    let verifier = stage.key(&["--group", "Verifier"]);
    assert_eq!(stage.get(KEY, &verifier.secret).await.good()["permissions"], json!(["keys:verify"]));
}

on_both_databases!(key_describes_itself_and_never_its_secret, any_valid_key_describes_itself);
