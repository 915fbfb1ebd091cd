//! The limit on changes that a person makes in the console.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{id::PersonId, person::Role};
use futures::future::join_all;
use keyring::{Error, NewProperty, TenantAdmin};

use super::stage::{PASSWORD, Stage};

on_both_databases! {
    sixty_first_change_within_a_minute_is_refused,
    concurrent_changes_are_counted,
    access_is_removed_beyond_the_limit,
    limit_is_per_person,
    operator_is_not_limited,
}

const MAX_CHANGES: u32 = 60;

async fn create_property(stage: &Stage, admin: &TenantAdmin, name: &str) -> Result<(), Error> {
    stage.keyring.create_property(admin, NewProperty { name: name.to_owned() }).await.map(drop)
}

/// Makes as many changes as a person may make within a minute.
async fn reach_limit(stage: &Stage, admin: &TenantAdmin) {
    for number in 0..MAX_CHANGES {
        create_property(stage, admin, &format!("House {number}")).await.unwrap();
    }
}

fn is_limited(outcome: &Result<(), Error>) -> bool {
    matches!(outcome, Err(Error::TooManyChanges { .. }))
}

async fn sixty_first_change_within_a_minute_is_refused(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    let admin = stage.admin(&tenant, "Ana").await;
    reach_limit(&stage, &admin).await;
    stage.advance(TimeDelta::seconds(45));
    match create_property(&stage, &admin, "One more").await {
        Err(Error::TooManyChanges { retry_after }) => assert_eq!(retry_after, Duration::from_secs(15)),
        other => panic!("{other:?}"),
    }
    let properties = stage.keyring.properties(&tenant).await.unwrap();
    assert!(!properties.iter().any(|property| property.name == "One more"));
    stage.advance(TimeDelta::seconds(15));
    create_property(&stage, &admin, "One more").await.unwrap();
}

async fn concurrent_changes_are_counted(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    let admin = stage.admin(&tenant, "Ana").await;
    let names: Vec<String> = (0..MAX_CHANGES + 5).map(|number| format!("House {number}")).collect();
    let outcomes = join_all(names.iter().map(|name| create_property(&stage, &admin, name))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), MAX_CHANGES as usize);
    assert_eq!(outcomes.iter().filter(|outcome| is_limited(outcome)).count(), 5);
}

async fn access_is_removed_beyond_the_limit(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    let admin = stage.admin(&tenant, "Ana").await;
    stage.person(&tenant, "Mia", Role::Member).await;
    let token = stage.sign_in("mia@acme.test", PASSWORD).await.unwrap();
    let mia: PersonId = stage.whose(&token).await.person.id;
    let key = stage.generate(&tenant, "PMS").await.id;
    reach_limit(&stage, &admin).await;
    assert!(is_limited(&create_property(&stage, &admin, "One more").await));
    stage.keyring.revoke_key(&admin, &key).await.unwrap();
    stage.keyring.delete_key(&admin, &key).await.unwrap();
    stage.keyring.end_sessions_of(&admin, &mia).await.unwrap();
    stage.keyring.deactivate(&admin, &mia).await.unwrap();
    assert!(is_limited(&stage.keyring.reactivate(&admin, &mia).await));
}

async fn limit_is_per_person(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    let (ana, ben) = (stage.admin(&tenant, "Ana").await, stage.admin(&tenant, "Ben").await);
    reach_limit(&stage, &ana).await;
    assert!(is_limited(&create_property(&stage, &ana, "Ana's").await));
    create_property(&stage, &ben, "Ben's").await.unwrap();
}

async fn operator_is_not_limited(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    reach_limit(&stage, &tenant).await;
    create_property(&stage, &tenant, "One more").await.unwrap();
}
