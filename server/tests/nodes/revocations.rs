//! A change that removes access applies everywhere once it has returned, through any surface.

use serde_json::{Value, json};
use test_support::{
    program::draft,
    test_app::{Base, text},
};

use super::cluster::{Cluster, DEMANDING, Demand, SURFACES};

fn group(cluster: &Cluster, name: &str, permission: &str) -> String {
    let words = ["group", "create", "--tenant", "acme", "--name", name, "--type", "tenant-api-key"];
    text(&cluster.command(&[&words[..], &["--permission", permission]].concat())["id"])
}

fn id_of_group(cluster: &Cluster, name: &str) -> String {
    let groups = cluster.command(&["group", "list", "--tenant", "acme"]);
    let found = groups.as_array().unwrap().iter().find(|group| group["name"] == name);
    text(&found.expect("it is there")["id"])
}

async fn command_revocation_reaches_all_nodes(base: Base) {
    let (cluster, any) = (Cluster::start(base), Demand::default());
    for word in ["revoke", "rotate", "delete"] {
        let key = cluster.key(&[]);
        cluster.assert_revoked(&SURFACES, &key.secret, &any, &["key", word, &key.id]).await;
    }
    let key = cluster.key(&[]);
    let next = cluster.app.rotate(&key, &["--grace", "1h"]);
    cluster.assert_cached(&SURFACES, &next.secret, &any).await;
    cluster.assert_revoked(&SURFACES, &key.secret, &any, &["key", "end-grace", &key.id]).await;
    cluster.assert_cached(&SURFACES, &next.secret, &any).await;
}

async fn command_restriction_reaches_all_nodes(base: Base) {
    let cluster = Cluster::start(base);
    let (harbour, old_town) = (cluster.app.property("acme", "Harbour House"), cluster.app.property("acme", "Old Town"));
    let any = Demand::default();
    for terms in [["--scope", "write"], ["--group", "Verifier"]] {
        let key = cluster.key(&[]);
        cluster.assert_revoked(&DEMANDING, &key.secret, &any, &[&["key", "edit", &key.id], &terms[..]].concat()).await;
    }
    for terms in [["--ip", "10.0.0.0/8"], ["--origin", "https://book.acme.test"]] {
        let key = cluster.key(&[]);
        cluster.assert_revoked(&SURFACES, &key.secret, &any, &[&["key", "edit", &key.id], &terms[..]].concat()).await;
    }
    let (key, demand) = (cluster.key(&[]), Demand { property: Some(harbour.clone()) });
    cluster.assert_revoked(&DEMANDING, &key.secret, &demand, &["key", "edit", &key.id, "--property", &old_town]).await;
    let key = cluster.key(&[]);
    cluster.assert_revoked(&DEMANDING, &key.secret, &demand, &["property", "archive", &harbour]).await;
}

async fn shared_dependency_change_reaches_all_keys(base: Base) {
    let (cluster, any) = (Cluster::start(base), Demand::default());
    let readers = group(&cluster, "Readers", "*:read");
    let keys = [cluster.key(&["--group", &readers]), cluster.key(&["--group", &readers])];
    for key in &keys {
        cluster.assert_cached(&DEMANDING, &key.secret, &any).await;
    }
    cluster
        .assert_revoked(
            &DEMANDING,
            &keys[0].secret,
            &any,
            &["group", "edit", &readers, "--permission", "services:read"],
        )
        .await;
    cluster.assert_rejected(&DEMANDING, &keys[1].secret, &any, "the edit of the group").await;

    let keys = [cluster.key(&[]), cluster.key(&[])];
    for key in &keys {
        cluster.assert_cached(&SURFACES, &key.secret, &any).await;
    }
    cluster.command(&["tenant", "set", "--slug", "acme", "--api-keys", "off"]);
    // The asker's own key has ended with the others.
    for key in &keys {
        cluster.assert_rejected(&SURFACES[1..], &key.secret, &any, "the end of the subscription").await;
    }
}

/// A personal key, created at the first server.
async fn personal_key(cluster: &Cluster, name: &str) -> String {
    let browser = cluster.app.program.signed_in(&format!("{name}@acme.test")).await;
    let mut draft = draft("Mine", "");
    draft["rate_limit_per_minute"] = json!("1000");
    let body = json!({ "of": "oneself", "draft": draft, "expiration": "never" });
    let made: Value = browser.call("/console/generate_key", &body).await.json().await.unwrap();
    text(&made["secret"])
}

async fn owner_changes_reach_all_nodes(base: Base) {
    let (cluster, any) = (Cluster::start(base), Demand::default());
    // One admin must remain.
    cluster.app.person("ana", "tenant-admin");
    for (word, role) in [("switch-off", &[][..]), ("set-role", &["--role", "member"])] {
        let person = cluster.app.person(word, "tenant-admin");
        let secret = personal_key(&cluster, word).await;
        cluster.assert_revoked(&DEMANDING, &secret, &any, &[&["person", word, &person], role].concat()).await;
    }
    let words = ["group", "create", "--tenant", "acme", "--name", "Desk", "--type", "person", "--permission", "*:read"];
    let desk = text(&cluster.command(&words)["id"]);
    let narrower = ["group", "edit", &desk, "--permission", "services:read"];
    for words in [["person", "set-role", "", "--role", "member"], narrower] {
        let name = words[0];
        let member = cluster.app.person(name, "member");
        cluster.command(&["person", "set-role", &member, "--role", "member", "--group", &desk]);
        let secret = personal_key(&cluster, name).await;
        let words = words.map(|word| if word.is_empty() { &member } else { word });
        cluster.assert_revoked(&DEMANDING, &secret, &any, &words).await;
    }
}

/// The same by the functions that the console's pages call, at the first server.
async fn console_revocation_reaches_all_nodes(base: Base) {
    let (cluster, any) = (Cluster::start(base), Demand::default());
    let admin = cluster.admin().await;
    let verifier = id_of_group(&cluster, "Verifier");
    for (function, arguments) in [
        ("revoke_key", json!({})),
        ("delete_key", json!({})),
        ("rotate_key", json!({ "seen": 1, "expiration": null, "grace": "none" })),
        ("edit_key", json!({ "seen": 1, "draft": draft("Narrower", &verifier) })),
    ] {
        let key = cluster.key(&[]);
        let mut arguments = arguments;
        (arguments["of"], arguments["id"]) = (json!("tenant"), json!(key.id));
        cluster.assert_cached(&DEMANDING, &key.secret, &any).await;
        let answer = admin.call(&format!("/console/{function}"), &arguments).await;
        assert_eq!(answer.status(), 200, "{function}");
        cluster.assert_rejected(&DEMANDING, &key.secret, &any, function).await;
    }
    let readers = group(&cluster, "Readers", "*:read");
    let key = cluster.key(&["--group", &readers]);
    cluster.assert_cached(&DEMANDING, &key.secret, &any).await;
    let edit = json!({ "id": readers, "seen": "1", "name": "Readers", "picked": ["services:read"], "permissions": "" });
    assert_eq!(admin.call("/console/edit_group", &edit).await.status(), 200);
    cluster.assert_rejected(&DEMANDING, &key.secret, &any, "edit_group").await;
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    command_revocation_reaches_all_nodes,
    command_restriction_reaches_all_nodes,
    shared_dependency_change_reaches_all_keys,
    owner_changes_reach_all_nodes,
    console_revocation_reaches_all_nodes,
}
