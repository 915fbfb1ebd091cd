//! The limit on changes that a person makes in the console.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{id::PersonId, person::Role};
use futures::future::join_all;
use keyring::{Error, NewProperty, TenantAdmin};

use super::fixture::{PASSWORD, TestKeyring};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    sixty_first_change_within_a_minute_is_refused,
    concurrent_changes_are_counted,
    access_is_removed_beyond_the_limit,
    limit_is_per_person,
    operator_is_not_limited,
}

const MAX_CHANGES: u32 = 60;

async fn create_property(app: &TestKeyring, admin: &TenantAdmin, name: &str) -> Result<(), Error> {
    app.keyring.create_property(admin, NewProperty { name: name.to_owned() }).await.map(drop)
}

/// Makes as many changes as a person may make within a minute.
async fn reach_limit(app: &TestKeyring, admin: &TenantAdmin) {
    for number in 0..MAX_CHANGES {
        create_property(app, admin, &format!("House {number}")).await.unwrap();
    }
}

fn is_limited(outcome: &Result<(), Error>) -> bool {
    matches!(outcome, Err(Error::TooManyChanges { .. }))
}

async fn sixty_first_change_within_a_minute_is_refused(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let admin = app.admin(&tenant, "Ana").await;
    reach_limit(&app, &admin).await;
    app.advance(TimeDelta::seconds(45));
    match create_property(&app, &admin, "One more").await {
        Err(Error::TooManyChanges { retry_after }) => assert_eq!(retry_after, Duration::from_secs(15)),
        other => panic!("{other:?}"),
    }
    let properties = app.keyring.properties(&tenant).await.unwrap();
    assert!(!properties.iter().any(|property| property.name == "One more"));
    app.advance(TimeDelta::seconds(15));
    create_property(&app, &admin, "One more").await.unwrap();
}

async fn concurrent_changes_are_counted(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let admin = app.admin(&tenant, "Ana").await;
    let names: Vec<String> = (0..MAX_CHANGES + 5).map(|number| format!("House {number}")).collect();
    let outcomes = join_all(names.iter().map(|name| create_property(&app, &admin, name))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), MAX_CHANGES as usize);
    assert_eq!(outcomes.iter().filter(|outcome| is_limited(outcome)).count(), 5);
}

async fn access_is_removed_beyond_the_limit(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let admin = app.admin(&tenant, "Ana").await;
    app.person(&tenant, "Mia", Role::Member).await;
    let token = app.sign_in("mia@acme.test", PASSWORD).await.unwrap();
    let mia: PersonId = app.whose(&token).await.person.id;
    let key = app.generate(&tenant, "PMS").await.id;
    reach_limit(&app, &admin).await;
    assert!(is_limited(&create_property(&app, &admin, "One more").await));
    app.keyring.revoke_key(&admin, &key).await.unwrap();
    app.keyring.delete_key(&admin, &key).await.unwrap();
    app.keyring.end_sessions_of(&admin, &mia).await.unwrap();
    app.keyring.deactivate(&admin, &mia).await.unwrap();
    assert!(is_limited(&app.keyring.reactivate(&admin, &mia).await));
}

async fn limit_is_per_person(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let (ana, ben) = (app.admin(&tenant, "Ana").await, app.admin(&tenant, "Ben").await);
    reach_limit(&app, &ana).await;
    assert!(is_limited(&create_property(&app, &ana, "Ana's").await));
    create_property(&app, &ben, "Ben's").await.unwrap();
}

async fn operator_is_not_limited(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    reach_limit(&app, &tenant).await;
    create_property(&app, &tenant, "One more").await.unwrap();
}
