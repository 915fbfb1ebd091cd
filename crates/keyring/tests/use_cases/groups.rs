use domain::{
    group::{Group, GroupType, Version},
    id::{GroupId, Id},
    key_draft::KeyDraft,
    permission::Permission,
};
use keyring::{
    AccessQuery, Credential, Error, GroupEdit, GroupUse, NewGroup, Refusal, Requirement, TenantAdmin, Thing,
};
use secrecy::SecretString;

use super::fixture::{TestKeyring, codes};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    edit_applies_from_the_next_call,
    second_editor_gets_a_conflict,
    one_of_two_concurrent_edits_wins,
    saving_without_a_change_writes_nothing,
    all_invalid_permissions_are_reported,
    group_in_use_is_not_deleted,
    group_cannot_be_deleted_while_a_key_takes_it,
    foreign_group_is_not_found,
}

fn edit(seen: i32, name: &str, permissions: &[&str]) -> GroupEdit {
    let permissions = permissions.iter().map(|text| (*text).to_owned()).collect();
    GroupEdit { seen: Some(Version(seen)), name: name.to_owned(), permissions }
}

async fn named(app: &TestKeyring, tenant: &TenantAdmin, name: &str) -> Group {
    let groups = app.keyring.groups(tenant).await.unwrap();
    groups.into_iter().find(|group| group.name == name).unwrap()
}

async fn may(app: &TestKeyring, secret: &SecretString, permission: &str) -> bool {
    let address = "203.0.113.7".parse().unwrap();
    let permission = Permission::parse(permission).unwrap();
    let query = AccessQuery {
        address: Some(address),
        nearest: address,
        origin: None,
        requirement: Requirement { permission: Some(&permission), property: None, cost: 0, tenant: None },
    };
    match app.keyring.evaluate(&Credential::Secret(secret.clone()), &query).await.unwrap().outcome {
        Ok(_) => true,
        Err(Refusal::InsufficientPermissions { .. }) => false,
        Err(other) => panic!("another refusal: {other}"),
    }
}

async fn edit_applies_from_the_next_call(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let key = app.generate(&tenant, "PMS").await;
    let group = named(&app, &tenant, "Full access").await;
    assert!(may(&app, &key.secret, "services:read").await);
    let after =
        app.keyring.edit_group(&tenant, &group.id, &edit(1, "Booking", &["reservations:*", "keys:verify"])).await;
    let after = after.unwrap();
    assert_eq!((after.group.name.as_str(), after.version), ("Booking", 2));
    assert!(!may(&app, &key.secret, "services:read").await);
    assert!(may(&app, &key.secret, "reservations:read").await);
    assert_eq!(app.actions(&group.id).await, ["group.edited"]);
    let detail = app.texts("SELECT detail FROM audit_event WHERE action = 'group.edited'").await;
    assert!(detail[0].contains("Full access") && detail[0].contains("keys:verify"), "{detail:?}");
}

async fn second_editor_gets_a_conflict(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let (ana, ben) = (app.admin(&tenant, "Ana").await, app.admin(&tenant, "Ben").await);
    let group = named(&app, &tenant, "Read only").await;
    app.keyring.edit_group(&ana, &group.id, &edit(1, "Read only", &["services:read"])).await.unwrap();
    let bens = app.keyring.edit_group(&ben, &group.id, &edit(1, "Reading", &["*:read"])).await;
    assert!(matches!(bens, Err(Error::Outdated { thing: Thing::Group, ref by }) if by == "Ana"), "{bens:?}");
    app.keyring.edit_group(&ben, &group.id, &edit(2, "Reading", &["*:read"])).await.expect("he has seen it now");
}

async fn one_of_two_concurrent_edits_wins(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let group = named(&app, &tenant, "Read only").await;
    let spawn = |name: &str| {
        let (keyring, tenant, id, edit) =
            (app.keyring.clone(), tenant.clone(), group.id.clone(), edit(1, name, &["*:read"]));
        tokio::spawn(async move { keyring.edit_group(&tenant, &id, &edit).await })
    };
    let (first, second) = (spawn("One"), spawn("Two"));
    let outcomes = [first.await.unwrap(), second.await.unwrap()];
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Err(Error::Outdated { .. }))).count(), 1);
}

async fn saving_without_a_change_writes_nothing(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let group = named(&app, &tenant, "Read only").await;
    let saved = app.keyring.edit_group(&tenant, &group.id, &edit(1, " Read only ", &["*:read", "*:read"])).await;
    assert_eq!(saved.unwrap().version, 1);
    assert!(app.actions(&group.id).await.is_empty());
}

async fn all_invalid_permissions_are_reported(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let group = named(&app, &tenant, "Read only").await;
    let refused = app.keyring.edit_group(&tenant, &group.id, &edit(1, "x", &["Read", "*:read", "a:b:c"])).await;
    let Err(Error::Invalid(errors)) = refused else { panic!("nothing was refused") };
    let words = errors.to_string();
    assert!(
        words.contains("name: Use at least 2") && words.contains("\"Read\"") && words.contains("\"a:b:c\""),
        "{words}"
    );
    let nothing = app.keyring.edit_group(&tenant, &group.id, &edit(1, "Read only", &[])).await;
    assert_eq!(codes(nothing), [("permissions", "required".to_owned())]);
    let taken = app.keyring.edit_group(&tenant, &group.id, &edit(1, "Verifier", &["*:read"])).await;
    assert_eq!(codes(taken), [("name", "taken".to_owned())]);
}

async fn group_in_use_is_not_deleted(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let group = named(&app, &tenant, "Full access").await;
    let [active, revoked] = [app.generate(&tenant, "PMS").await.id, app.generate(&tenant, "Old").await.id];
    app.keyring.revoke_key(&tenant, &revoked).await.unwrap();
    let detail = app.keyring.group_detail(&tenant, &group.id).await.unwrap();
    assert_eq!(detail.used, GroupUse { active_keys: 1, revoked_keys: 1, people: 0 });
    assert_eq!(detail.keys.first.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["PMS"]);
    let Err(Error::Refused(reason)) = app.keyring.delete_group(&tenant, &group.id).await else {
        panic!("a group in use was deleted");
    };
    assert!(reason.starts_with("1 active key and 1 revoked key use this group."), "{reason}");
    app.keyring.delete_key(&tenant, &active).await.unwrap();
    assert!(matches!(app.keyring.delete_group(&tenant, &group.id).await, Err(Error::Refused(_))), "a revoked key");
    app.keyring.delete_key(&tenant, &revoked).await.unwrap();
    app.keyring.delete_group(&tenant, &group.id).await.unwrap();
    let again = app.keyring.delete_group(&tenant, &group.id).await;
    assert!(matches!(again, Err(Error::NotFound(Thing::Group))));
    assert_eq!(app.actions(&group.id).await, ["group.deleted"]);
}

async fn group_cannot_be_deleted_while_a_key_takes_it(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let group = named(&app, &tenant, "Full access").await;
    let new = keyring::NewKey {
        draft: KeyDraft { name: "PMS".to_owned(), group: group.id.to_string(), ..KeyDraft::default() },
        expiration: domain::expiration::ExpirationDraft::Never,
    };
    let generating = tokio::spawn({
        let (keyring, tenant) = (app.keyring.clone(), tenant.clone());
        async move { keyring.generate_key(&tenant, &new).await.map(drop) }
    });
    let deleting = tokio::spawn({
        let (keyring, tenant, id) = (app.keyring.clone(), tenant.clone(), group.id.clone());
        async move { keyring.delete_group(&tenant, &id).await }
    });
    let outcomes = [generating.await.unwrap(), deleting.await.unwrap()];
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "one of them came first: {outcomes:?}");
}

async fn foreign_group_is_not_found(app: TestKeyring) {
    let (acme, other) = (app.tenant("acme").await, app.tenant("other").await);
    let new = NewGroup {
        name: "Front desk".to_owned(),
        group_type: GroupType::Person,
        permissions: vec!["reservations:*".to_owned()],
    };
    let group = app.keyring.create_group(&acme, new).await.unwrap().id;
    let none = |outcome: Result<(), Error>| assert!(matches!(outcome, Err(Error::NotFound(Thing::Group))));
    let missing = GroupId::parse("grp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB").unwrap();
    for id in [&group, &missing] {
        none(app.keyring.edit_group(&other, id, &edit(1, "Theirs now", &["*"])).await.map(drop));
        none(app.keyring.delete_group(&other, id).await);
        none(app.keyring.group_detail(&other, id).await.map(drop));
    }
    assert_eq!(app.actions(&group).await, ["group.created"]);
}
