use std::collections::HashSet;

use domain::{
    key::{Status, Validity},
    key_list::KeyListQuery,
};
use secrecy::ExposeSecret;

use super::stage::Stage;

on_both_databases! {
    the_demo_shows_keys_in_every_state,
    a_database_with_tenants_is_left_alone,
}

async fn the_demo_shows_keys_in_every_state(stage: Stage) {
    let sign_in = stage.keyring.fill_with_demo().await.unwrap().unwrap();
    let token = stage.sign_in(&sign_in.email, sign_in.password.expose_secret()).await.unwrap();
    let admin = stage.keyring.signed_in(&token).await.unwrap().unwrap().as_admin().unwrap();
    assert_eq!(stage.keyring.properties(&admin).await.unwrap().len(), 3);
    assert_eq!(stage.keyring.people(Some(&admin)).await.unwrap().len(), 4);
    let keys = stage.keyring.keys(&admin, &KeyListQuery::default()).await.unwrap().keys;
    assert_eq!(keys.len(), 12);
    let states: HashSet<String> =
        keys.iter().map(|key| format!("{:?} {:?}", key.status(), key.validity(stage.now()))).collect();
    for (status, validity) in [
        (Status::Active, Validity::Valid),
        (Status::Active, Validity::ExpiringSoon),
        (Status::Active, Validity::Expired),
        (Status::Revoked, Validity::Valid),
        (Status::Revoked, Validity::Expired),
    ] {
        assert!(states.contains(&format!("{status:?} {validity:?}")), "{status:?} {validity:?}");
    }
    assert!(keys.iter().any(|key| key.old_secret_until.is_some()));
    assert!(keys.iter().any(|key| key.last_used_at.is_none()) && keys.iter().any(|key| key.last_used_at.is_some()));
    assert!(keys.iter().all(|key| key.created_at < stage.now()));
    assert!(!stage.texts("SELECT outcome FROM usage_hour").await.is_empty());
    assert!(!stage.texts("SELECT outcome FROM usage_event").await.is_empty());
}

async fn a_database_with_tenants_is_left_alone(stage: Stage) {
    stage.tenant("acme").await;
    assert!(stage.keyring.fill_with_demo().await.unwrap().is_none());
    assert_eq!(stage.keyring.tenants().await.unwrap().len(), 1);
}
