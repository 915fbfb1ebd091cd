use std::collections::HashSet;

use domain::{
    key::{Status, Validity},
    key_list::KeyListQuery,
    key_warning::KeyWarning,
    usage::{CallOutcome, Range, UsageQuery},
};
use keyring::{SuperUser, TenantAdmin};
use secrecy::ExposeSecret;

use super::fixture::{TestKeyring, home};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    demo_shows_keys_in_every_state,
    demo_shows_usage,
    database_with_tenants_gets_no_demo,
}

/// The demo's admin, signed in.
async fn demo(app: &TestKeyring) -> TenantAdmin {
    let sign_in = app.keyring.fill_with_demo().await.unwrap().unwrap();
    let token = app.sign_in(&sign_in.email, sign_in.password.expose_secret()).await.unwrap();
    app.keyring.signed_in(&token, home()).await.unwrap().unwrap().as_admin().unwrap()
}

async fn demo_shows_keys_in_every_state(app: TestKeyring) {
    let admin = demo(&app).await;
    assert_eq!(app.keyring.properties(&admin).await.unwrap().len(), 3);
    assert_eq!(app.keyring.people(Some(&admin)).await.unwrap().len(), 4);
    let keys = app.keyring.keys(&admin, &KeyListQuery::default()).await.unwrap().keys;
    assert_eq!(keys.len(), 12);
    let states: HashSet<String> =
        keys.iter().map(|key| format!("{:?} {:?}", key.status(), key.validity(app.now()))).collect();
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
    assert!(keys.iter().all(|key| key.created_at < app.now()));
    assert!(!app.texts("SELECT outcome FROM usage_hour").await.is_empty());
    assert!(!app.texts("SELECT outcome FROM usage_event").await.is_empty());
}

async fn demo_shows_usage(app: TestKeyring) {
    let admin = demo(&app).await;
    for attention in KeyWarning::ALL {
        let query = KeyListQuery { attention: Some(attention), ..KeyListQuery::default() };
        let keys = app.keyring.keys(&admin, &query).await.unwrap().keys;
        assert!(keys.iter().any(|key| attention.is_marked_on(key, app.now())), "{attention:?}");
    }
    assert_eq!(app.keyring.legacy_users(&admin).await.unwrap().len(), 2);
    let pms = KeyListQuery { search: "property management".to_owned(), ..KeyListQuery::default() };
    let pms = app.keyring.keys(&admin, &pms).await.unwrap().keys.remove(0);
    for range in [Range::Day, Range::Month] {
        let query = UsageQuery { range, ..UsageQuery::default() };
        let usage = app.keyring.key_usage(&admin, &pms.id, &query).await.unwrap();
        let sum = usage.steps.iter().map(|step| &step.counts).collect::<domain::usage::OutcomeCounts>();
        assert!(CallOutcome::ALL.into_iter().all(|fate| sum.with(fate) > 0), "{range:?}: {sum:?}");
        assert_eq!(usage.log.entries[0].position.at, pms.last_used_at.unwrap());
        assert!(usage.log.has_older);
    }
}

async fn database_with_tenants_gets_no_demo(app: TestKeyring) {
    app.tenant("acme").await;
    assert!(app.keyring.fill_with_demo().await.unwrap().is_none());
    assert_eq!(app.keyring.tenants(&SuperUser::operator()).await.unwrap().len(), 1);
}
