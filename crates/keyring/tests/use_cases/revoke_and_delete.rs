use chrono::TimeDelta;
use domain::{
    id::{Id, KeyId},
    key::Status,
    key_draft::{Grace, KeyDraft},
};
use keyring::{Error, Rotation, Thing};

use super::stage::Stage;

on_both_databases! {
    revoked_key_stays_listed,
    revoking_twice_is_one_revocation,
    deleted_key_is_gone_and_audited,
    foreign_key_is_not_found,
}

async fn revoked_key_stays_listed(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    let ana = stage.admin(&tenant, "Ana").await;
    let id = stage.generate(&tenant, "PMS").await.id;
    stage.keyring.rotate_key(&tenant, &id, 1, &Rotation { expiration: None, grace: Grace::OneDay }).await.unwrap();
    let revoked = stage.keyring.revoke_key(&ana, &id).await.unwrap();
    assert_eq!((revoked.status(), revoked.revoked_at), (Status::Revoked, Some(stage.now())));
    assert_eq!(revoked.revoked_by.as_deref(), Some("Ana"));
    assert_eq!(revoked.old_secret_until, None, "the old secret ended with the key");
    assert_eq!(stage.key(&tenant, &id).await, revoked);
}

async fn revoking_twice_is_one_revocation(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    let id = stage.generate(&tenant, "PMS").await.id;
    let first = stage.keyring.revoke_key(&tenant, &id).await.unwrap();
    stage.advance(TimeDelta::hours(1));
    assert_eq!(stage.keyring.revoke_key(&tenant, &id).await.unwrap(), first);
    assert_eq!(stage.actions(&id).await, ["key.generated", "key.revoked"]);
}

async fn deleted_key_is_gone_and_audited(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    let id = stage.generate(&tenant, "PMS").await.id;
    let properties = stage.keyring.properties(&tenant).await.unwrap();
    let narrowed = KeyDraft {
        all_properties: false,
        properties: vec![properties[0].id.to_string()],
        ..KeyDraft::of(&stage.key(&tenant, &id).await)
    };
    stage.keyring.edit_key(&tenant, &id, 1, &narrowed).await.unwrap();
    let connection = stage.connection().await;
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
    stage.keyring.delete_key(&tenant, &id).await.unwrap();
    for table in ["api_key_secret", "api_key_property", "usage_hour", "usage_event"] {
        assert!(stage.texts(&format!("SELECT api_key_id FROM {table}")).await.is_empty(), "{table}");
    }
    assert!(stage.texts("SELECT id FROM api_key").await.is_empty());
    assert_eq!(stage.actions(&id).await, ["key.generated", "key.edited", "key.deleted"]);
    assert!(matches!(stage.keyring.delete_key(&tenant, &id).await, Err(Error::NotFound(Thing::Key))));
}

async fn foreign_key_is_not_found(stage: Stage) {
    let (acme, other) = (stage.tenant("acme").await, stage.tenant("other").await);
    let foreign = stage.generate(&other, "PMS").await.id;
    let before = stage.key(&other, &foreign).await;
    let missing = KeyId::parse("key_01JCQ4Y2V9ZK3T5N6R7S8W9XAB").unwrap();
    let draft = stage.draft(&acme, "Mine").await;
    for id in [&foreign, &missing] {
        let keyring = &stage.keyring;
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
    assert_eq!(stage.key(&other, &foreign).await, before);
}
