use chrono::TimeDelta;
use domain::{
    id::{Id, KeyId},
    key::Status,
    key_draft::{Grace, KeyDraft},
};
use keyring::{Error, Rotation, Thing};

use super::fixture::TestKeyring;

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    revoked_key_stays_listed,
    revoking_twice_is_one_revocation,
    deleted_key_is_gone_and_audited,
    foreign_key_is_not_found,
}

async fn revoked_key_stays_listed(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let ana = app.admin(&tenant, "Ana").await;
    let id = app.generate(&tenant, "PMS").await.id;
    app.keyring.rotate_key(&tenant, &id, 1, &Rotation { expiration: None, grace: Grace::OneDay }).await.unwrap();
    let revoked = app.keyring.revoke_key(&ana, &id).await.unwrap();
    assert_eq!((revoked.status(), revoked.revoked_at), (Status::Revoked, Some(app.now())));
    assert_eq!(revoked.revoked_by.as_deref(), Some("Ana"));
    assert_eq!(revoked.old_secret_until, None, "the old secret ended with the key");
    assert_eq!(app.key(&tenant, &id).await, revoked);
}

async fn revoking_twice_is_one_revocation(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let id = app.generate(&tenant, "PMS").await.id;
    let first = app.keyring.revoke_key(&tenant, &id).await.unwrap();
    app.advance(TimeDelta::hours(1));
    assert_eq!(app.keyring.revoke_key(&tenant, &id).await.unwrap(), first);
    assert_eq!(app.actions(&id).await, ["key.generated", "key.revoked"]);
}

async fn deleted_key_is_gone_and_audited(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let id = app.generate(&tenant, "PMS").await.id;
    let properties = app.keyring.properties(&tenant).await.unwrap();
    let narrowed = KeyDraft {
        all_properties: false,
        properties: vec![properties[0].id.to_string()],
        ..KeyDraft::of(&app.key(&tenant, &id).await)
    };
    app.keyring.edit_key(&tenant, &id, 1, &narrowed).await.unwrap();
    let connection = app.connection().await;
    let (key, at) = (id.as_str(), "2026-11-21 11:00:00+00:00");
    for usage in [
        format!("INSERT INTO usage_hour (api_key_id, hour, outcome, count) VALUES ('{key}', '{at}', 'VALID', 3)"),
        format!(
            "INSERT INTO usage_event (api_key_id, at, method, route, status, outcome, ip) \
             VALUES ('{key}', '{at}', 'GET', '/', 200, 'VALID', '::1')"
        ),
    ] {
        sea_orm::ConnectionTrait::execute_unprepared(&connection, &usage).await.unwrap();
    }
    app.keyring.delete_key(&tenant, &id).await.unwrap();
    for table in ["api_key_secret", "api_key_property", "usage_hour", "usage_event"] {
        assert!(app.texts(&format!("SELECT api_key_id FROM {table}")).await.is_empty(), "{table}");
    }
    assert!(app.texts("SELECT id FROM api_key").await.is_empty());
    assert_eq!(app.actions(&id).await, ["key.generated", "key.edited", "key.deleted"]);
    assert!(matches!(app.keyring.delete_key(&tenant, &id).await, Err(Error::NotFound(Thing::Key))));
}

async fn foreign_key_is_not_found(app: TestKeyring) {
    let (acme, other) = (app.tenant("acme").await, app.tenant("other").await);
    let foreign = app.generate(&other, "PMS").await.id;
    let before = app.key(&other, &foreign).await;
    let missing = KeyId::parse("key_01JCQ4Y2V9ZK3T5N6R7S8W9XAB").unwrap();
    let draft = app.draft(&acme, "Mine").await;
    for id in [&foreign, &missing] {
        let keyring = &app.keyring;
        let answers = [
            keyring.key(&acme, id).await.err(),
            keyring.edit_key(&acme, id, 1, &draft).await.err(),
            keyring.rotate_key(&acme, id, 1, &Rotation::default()).await.err(),
            keyring.end_grace(&acme, id).await.err(),
            keyring.revoke_key(&acme, id).await.err(),
            keyring.delete_key(&acme, id).await.err(),
        ];
        for (number, answer) in answers.into_iter().enumerate() {
            assert!(matches!(answer, Some(Error::NotFound(Thing::Key))), "{number}: {answer:?}");
        }
    }
    assert_eq!(app.key(&other, &foreign).await, before);
}
