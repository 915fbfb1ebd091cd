//! An admin's keys from beginning to end, by the functions that the pages call.

use serde_json::{Value, json};
use test_support::program::{Program, draft};

fn keys(program: &Program, tenant: &str) -> Value {
    program.command(&["key", "list", "--tenant", tenant])
}

fn full_access(program: &Program, tenant: &str) -> String {
    let groups = program.command(&["group", "list", "--tenant", tenant]);
    let group = groups.as_array().unwrap().iter().find(|group| group["name"] == "Full access").unwrap();
    group["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn admin_can_call_every_function() {
    let program = Program::start();
    program.tenant("acme");
    let group = full_access(&program, "acme");
    let admin = program.signed_in("tenant-admin@acme.test").await;
    let made = admin
        .call("/console/generate_key", &json!({ "of": "tenant", "draft": draft("PMS", &group), "expiration": "never" }))
        .await;
    assert_eq!(made.status(), 200);
    assert_eq!(made.headers()["cache-control"], "no-store");
    assert!(made.headers().get("content-encoding").is_none(), "what carries a secret is not compressed");
    let made: Value = made.json().await.unwrap();
    assert!(made["secret"].as_str().unwrap().starts_with("lk_tk_"));
    let id = &made["id"];
    let edit = json!({ "of": "tenant", "id": id, "seen": 1, "draft": draft("Front desk", &group) });
    let rotate = json!({ "of": "tenant", "id": id, "seen": 2, "expiration": { "end_of_day": "2099-01-31" }, "grace": "one_hour" });
    for (function, body) in [
        ("load_key", json!({ "of": "tenant", "id": id })),
        ("edit_key", edit.clone()),
        ("rotate_key", rotate),
        ("end_grace", json!({ "of": "tenant", "id": id })),
        ("revoke_key", json!({ "of": "tenant", "id": id })),
    ] {
        let answer = admin.call(&format!("/console/{function}"), &body).await;
        assert_eq!(answer.status(), 200, "{function}");
    }
    let [key] = keys(&program, "acme").as_array().unwrap().clone().try_into().unwrap();
    assert_eq!((&key["name"], &key["status"], &key["version"]), (&json!("Front desk"), &json!("revoked"), &json!(5)));
    assert_eq!(admin.call("/console/edit_key", &edit).await.status(), 409, "a revoked key is not edited");
    assert_eq!(admin.call("/console/delete_key", &json!({ "of": "tenant", "id": id })).await.status(), 200);
    assert_eq!(keys(&program, "acme"), json!([]));
    let wrong =
        json!({ "of": "tenant", "draft": draft("x", "nonsense"), "expiration": { "end_of_day": "2020-01-01" } });
    let refused = admin.call("/console/generate_key", &wrong).await;
    assert_eq!(refused.status(), 422);
    let refused: Value = refused.json().await.unwrap();
    let fields: Vec<&Value> = refused["Invalid"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
    assert_eq!(fields, ["name", "group", "expires_at"]);
}
