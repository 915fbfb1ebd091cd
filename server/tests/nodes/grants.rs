//! Granted access is visible on all nodes within a second.

use test_support::test_app::{Base, text};

use super::cluster::{Cluster, DEMANDING, Demand};

async fn granted_access_is_visible_within_a_second(base: Base) {
    let (cluster, any) = (Cluster::start(base), Demand::default());
    let key = cluster.key(&[]);
    cluster.assert_cached(&DEMANDING, &key.secret, &any).await;
    cluster.command(&["tenant", "set", "--slug", "acme", "--api-keys", "off"]);
    cluster.assert_rejected(&DEMANDING[1..], &key.secret, &any, "the end of the subscription").await;
    cluster.command(&["tenant", "set", "--slug", "acme", "--api-keys", "on"]);
    cluster.wait_until_admitted(&DEMANDING, &key.secret, "the subscription").await;

    let words = ["group", "create", "--tenant", "acme", "--name", "Bookers", "--type", "tenant-api-key"];
    let bookers = text(&cluster.command(&[&words[..], &["--permission", "reservations:*"]].concat())["id"]);
    let key = cluster.key(&["--group", &bookers]);
    cluster.assert_rejected(&DEMANDING, &key.secret, &any, "nothing").await;
    cluster.command(&["group", "edit", &bookers, "--permission", "reservations:*", "--permission", "*:read"]);
    cluster.wait_until_admitted(&DEMANDING, &key.secret, "the edit of the group").await;

    cluster.app.edit(&key, &["--scope", "write"]);
    cluster.assert_rejected(&DEMANDING, &key.secret, &any, "the edit of the key").await;
    cluster.app.edit(&key, &["--scope", "read"]);
    cluster.wait_until_admitted(&DEMANDING, &key.secret, "the second edit of the key").await;
}

/// The key may have been looked up before it existed.
async fn new_key_is_valid_immediately(base: Base) {
    let cluster = Cluster::start(base);
    for _ in 0..5 {
        let key = cluster.key(&[]);
        cluster.assert_cached(&DEMANDING, &key.secret, &Demand::default()).await;
    }
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    granted_access_is_visible_within_a_second,
    new_key_is_valid_immediately,
}
