//! Every server function × whoever calls it: generated from the functions that are registered, so that a new
//! one without a line here fails.

use leptos::server_fn::axum::server_fn_paths;
use serde_json::{Value, json};

use super::program::{Program, draft};

/// What a caller names, of their own tenant or of another.
struct Ids {
    key: Value,
    group: String,
    property: Value,
}

/// What to call a function with, to act on these.
fn arguments(function: &str, Ids { key: id, group, property }: &Ids) -> Option<Value> {
    let mut draft = draft("Mine", group);
    draft["all_properties"] = json!(false);
    draft["properties"] = json!([property]);
    Some(match function {
        "/console/generate_key" => json!({ "draft": draft, "expiration": "never" }),
        "/console/load_key" | "/console/end_grace" | "/console/revoke_key" | "/console/delete_key" => {
            json!({ "id": id })
        }
        "/console/edit_key" => json!({ "id": id, "seen": 1, "draft": draft }),
        // What is made belongs to whoever makes it; with such a name it is not made at all.
        "/console/create_property" => json!({ "name": "x" }),
        "/console/rename_property" => json!({ "id": property, "seen": "Harbour House", "name": "Theirs now" }),
        "/console/archive_property" | "/console/restore_property" => json!({ "id": property }),
        "/console/create_group" => {
            json!({ "name": "x", "group_type": "person", "picked": ["*"], "permissions": "" })
        }
        "/console/edit_group" => {
            json!({ "id": group, "seen": "1", "name": "Theirs now", "picked": ["*"], "permissions": "" })
        }
        "/console/delete_group" => json!({ "id": group }),
        "/console/rotate_key" => json!({ "id": id, "seen": 1, "expiration": null, "grace": "none" }),
        _ => return None,
    })
}

/// Functions that are for everybody: they act on the caller's own session alone.
const FOR_EVERYBODY: [&str; 2] = ["/console/sign_in", "/console/sign_out"];

fn functions_of_admins() -> Vec<&'static str> {
    // Mentioned, so that the linker keeps the crate that registers them.
    let _ = app::routes;
    let functions: Vec<&str> =
        server_fn_paths().map(|(path, _)| path).filter(|path| !FOR_EVERYBODY.contains(path)).collect();
    assert!(functions.len() >= 7, "only these are registered: {functions:?}");
    functions
}

/// All that could have been changed.
fn state(program: &Program, tenant: &str) -> Value {
    let list = |what| program.command(&[what, "list", "--tenant", tenant]);
    json!([list("key"), list("property"), list("group")])
}

fn keys(program: &Program, tenant: &str) -> Value {
    program.command(&["key", "list", "--tenant", tenant])
}

fn full_access(program: &Program, tenant: &str) -> String {
    let groups = program.command(&["group", "list", "--tenant", tenant]);
    let groups = groups.as_array().unwrap();
    let group = groups.iter().find(|group| group["name"] == "Full access").unwrap();
    group["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn nobody_but_the_tenants_admins_sees_or_changes_anything_on_sqlite() {
    try_every_function_as_everybody(&Program::start()).await;
}

#[tokio::test]
async fn nobody_but_the_tenants_admins_sees_or_changes_anything_on_postgres() {
    try_every_function_as_everybody(&Program::start_on_postgres()).await;
}

async fn try_every_function_as_everybody(program: &Program) {
    program.tenant("acme");
    program.tenant("other");
    let theirs = program.key("other", "Theirs");
    let acmes = Ids {
        key: program.key("acme", "PMS")["id"].clone(),
        group: full_access(program, "acme"),
        property: program.command(&["property", "list", "--tenant", "acme"])[0]["id"].clone(),
    };
    let missing = Ids {
        key: json!("key_01JCQ4Y2V9ZK3T5N6R7S8W9XAB"),
        group: "grp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB".to_owned(),
        property: json!("prp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB"),
    };
    let before = (state(program, "acme"), state(program, "other"));
    let stranger = program.stranger();
    let member = program.signed_in("member@acme.test").await;
    let foreign_admin = program.signed_in("tenant-admin@other.test").await;
    for function in functions_of_admins() {
        let arguments_for =
            |ids: &Ids| arguments(function, ids).unwrap_or_else(|| panic!("{function} has no line in the matrix"));
        let own = arguments_for(&acmes);
        assert_eq!(stranger.call(function, &own).await.status(), 401, "{function} without a session");
        assert_eq!(member.call(function, &own).await.status(), 403, "{function} as a member");
        let foreign = foreign_admin.call(function, &own).await;
        let nothing = foreign_admin.call(function, &arguments_for(&missing)).await;
        assert!(foreign.status().is_client_error(), "{function} as another tenant's admin: {}", foreign.status());
        assert_eq!(foreign.status(), nothing.status(), "{function}: a foreign id is told from a missing one");
        assert_eq!(foreign.text().await.unwrap(), nothing.text().await.unwrap(), "{function}");
        // Their own key, given what belongs to another tenant.
        let mixed =
            |ids: &Ids| Ids { key: theirs["id"].clone(), group: ids.group.clone(), property: ids.property.clone() };
        if function == "/console/edit_key" {
            let foreign = foreign_admin.call(function, &arguments_for(&mixed(&acmes))).await;
            let nothing = foreign_admin.call(function, &arguments_for(&mixed(&missing))).await;
            assert_eq!((foreign.status().as_u16(), nothing.status().as_u16()), (422, 422));
            assert_eq!(foreign.text().await.unwrap(), nothing.text().await.unwrap());
        }
        let nonsense = foreign_admin.call(function, &json!({ "id": "../../etc/passwd" })).await;
        assert_eq!(nonsense.status(), 400, "{function} with nonsense");
    }
    assert_eq!((state(program, "acme"), state(program, "other")), before);
}

#[tokio::test]
async fn an_admin_does_it_all() {
    let program = Program::start();
    program.tenant("acme");
    let group = full_access(&program, "acme");
    let admin = program.signed_in("tenant-admin@acme.test").await;
    let made =
        admin.call("/console/generate_key", &json!({ "draft": draft("PMS", &group), "expiration": "never" })).await;
    assert_eq!(made.status(), 200);
    assert_eq!(made.headers()["cache-control"], "no-store");
    assert!(made.headers().get("content-encoding").is_none(), "what carries a secret is not compressed");
    let made: Value = made.json().await.unwrap();
    assert!(made["secret"].as_str().unwrap().starts_with("lk_tk_"));
    let id = &made["id"];
    let edit = json!({ "id": id, "seen": 1, "draft": draft("Front desk", &group) });
    let rotate = json!({ "id": id, "seen": 2, "expiration": { "end_of_day": "2099-01-31" }, "grace": "one_hour" });
    for (function, body) in [
        ("load_key", json!({ "id": id })),
        ("edit_key", edit.clone()),
        ("rotate_key", rotate),
        ("end_grace", json!({ "id": id })),
        ("revoke_key", json!({ "id": id })),
    ] {
        let answer = admin.call(&format!("/console/{function}"), &body).await;
        assert_eq!(answer.status(), 200, "{function}");
    }
    let [key] = keys(&program, "acme").as_array().unwrap().clone().try_into().unwrap();
    assert_eq!((&key["name"], &key["status"], &key["version"]), (&json!("Front desk"), &json!("revoked"), &json!(5)));
    assert_eq!(admin.call("/console/edit_key", &edit).await.status(), 409, "a revoked key is not edited");
    assert_eq!(admin.call("/console/delete_key", &json!({ "id": id })).await.status(), 200);
    assert_eq!(keys(&program, "acme"), json!([]));
    let wrong = json!({ "draft": draft("x", "nonsense"), "expiration": { "end_of_day": "2020-01-01" } });
    let refused = admin.call("/console/generate_key", &wrong).await;
    assert_eq!(refused.status(), 422);
    let refused: Value = refused.json().await.unwrap();
    let fields: Vec<&Value> = refused["Invalid"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
    assert_eq!(fields, ["name", "group", "expires_at"]);
}

#[tokio::test]
async fn pages_are_for_admins_alone() {
    let program = Program::start();
    program.tenant("acme");
    program.tenant("other");
    let key = program.key("acme", "A key of Acme's");
    let page_of_key = format!("/tenant-api-keys/{}", key["id"].as_str().unwrap());
    let property = program.command(&["property", "create", "--tenant", "acme", "--name", "A key of Acme’s house"]);
    let page_of_property = format!("/properties/{}", property["id"].as_str().unwrap());
    let page_of_group = format!("/authorization-groups/{}", full_access(&program, "acme"));
    let stranger = program.stranger();
    let member = program.signed_in("member@acme.test").await;
    let foreign_admin = program.signed_in("tenant-admin@other.test").await;
    let admin = program.signed_in("tenant-admin@acme.test").await;
    for page in [
        "/tenant-api-keys",
        "/tenant-api-keys?q=Acme&page=2",
        "/tenant-api-keys/new",
        &page_of_key,
        "/properties",
        &page_of_property,
        "/authorization-groups",
        "/authorization-groups/new",
        &page_of_group,
    ] {
        let answer = stranger.get(page).await;
        assert_eq!(answer.status(), 303, "{page} without a session");
        assert!(answer.headers()["location"].to_str().unwrap().starts_with("/sign-in?next="));
        let answer = member.get(page).await;
        assert_eq!(answer.status(), 403, "{page} as a member");
        assert!(!answer.text().await.unwrap().contains("A key of Acme"));
        assert!(!foreign_admin.get(page).await.text().await.unwrap().contains("A key of Acme"));
        assert_eq!(admin.get(page).await.status(), 200);
    }
    for (foreign, none) in [
        (&page_of_key, "/tenant-api-keys/none"),
        (&page_of_property, "/properties/none"),
        (&page_of_group, "/authorization-groups/none"),
    ] {
        let (foreign, none) = (foreign_admin.get(foreign).await, foreign_admin.get(none).await);
        assert_eq!((foreign.status().as_u16(), none.status().as_u16()), (404, 404));
    }
    assert!(admin.get("/tenant-api-keys").await.text().await.unwrap().contains("A key of Acme"));
}
