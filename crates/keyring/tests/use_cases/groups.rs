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

use super::stage::{Stage, codes};

on_both_databases! {
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

async fn named(stage: &Stage, tenant: &TenantAdmin, name: &str) -> Group {
    let groups = stage.keyring.groups(tenant).await.unwrap();
    groups.into_iter().find(|group| group.name == name).unwrap()
}

async fn may(stage: &Stage, secret: &SecretString, permission: &str) -> bool {
    let address = "203.0.113.7".parse().unwrap();
    let permission = Permission::parse(permission).unwrap();
    let query = AccessQuery {
        address: Some(address),
        nearest: address,
        origin: None,
        requirement: Requirement { permission: Some(&permission), property: None, cost: 0, tenant: None },
    };
    match stage.keyring.evaluate(&Credential::Secret(secret.clone()), &query).await.unwrap().outcome {
        Ok(_) => true,
        Err(Refusal::InsufficientPermissions { .. }) => false,
        Err(other) => panic!("another refusal: {other}"),
    }
}

async fn edit_applies_from_the_next_call(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    let key = stage.generate(&tenant, "PMS").await;
    let group = named(&stage, &tenant, "Full access").await;
    assert!(may(&stage, &key.secret, "services:read").await);
    let after =
        stage.keyring.edit_group(&tenant, &group.id, &edit(1, "Booking", &["reservations:*", "keys:verify"])).await;
    let after = after.unwrap();
    assert_eq!((after.group.name.as_str(), after.version), ("Booking", 2));
    assert!(!may(&stage, &key.secret, "services:read").await);
    assert!(may(&stage, &key.secret, "reservations:read").await);
    assert_eq!(stage.actions(&group.id).await, ["group.edited"]);
    let detail = stage.texts("SELECT detail FROM audit_event WHERE action = 'group.edited'").await;
    assert!(detail[0].contains("Full access") && detail[0].contains("keys:verify"), "{detail:?}");
}

async fn second_editor_gets_a_conflict(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    let (ana, ben) = (stage.admin(&tenant, "Ana").await, stage.admin(&tenant, "Ben").await);
    let group = named(&stage, &tenant, "Read only").await;
    stage.keyring.edit_group(&ana, &group.id, &edit(1, "Read only", &["services:read"])).await.unwrap();
    let bens = stage.keyring.edit_group(&ben, &group.id, &edit(1, "Reading", &["*:read"])).await;
    assert!(matches!(bens, Err(Error::Outdated { thing: Thing::Group, ref by }) if by == "Ana"), "{bens:?}");
    stage.keyring.edit_group(&ben, &group.id, &edit(2, "Reading", &["*:read"])).await.expect("he has seen it now");
}

async fn one_of_two_concurrent_edits_wins(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    let group = named(&stage, &tenant, "Read only").await;
    let spawn = |name: &str| {
        let (keyring, tenant, id, edit) =
            (stage.keyring.clone(), tenant.clone(), group.id.clone(), edit(1, name, &["*:read"]));
        tokio::spawn(async move { keyring.edit_group(&tenant, &id, &edit).await })
    };
    let (first, second) = (spawn("One"), spawn("Two"));
    let outcomes = [first.await.unwrap(), second.await.unwrap()];
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Err(Error::Outdated { .. }))).count(), 1);
}

async fn saving_without_a_change_writes_nothing(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    let group = named(&stage, &tenant, "Read only").await;
    let saved = stage.keyring.edit_group(&tenant, &group.id, &edit(1, " Read only ", &["*:read", "*:read"])).await;
    assert_eq!(saved.unwrap().version, 1);
    assert!(stage.actions(&group.id).await.is_empty());
}

async fn all_invalid_permissions_are_reported(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    let group = named(&stage, &tenant, "Read only").await;
    let refused = stage.keyring.edit_group(&tenant, &group.id, &edit(1, "x", &["Read", "*:read", "a:b:c"])).await;
    let Err(Error::Invalid(errors)) = refused else { panic!("nothing was refused") };
    let words = errors.to_string();
    assert!(
        words.contains("name: Use at least 2") && words.contains("\"Read\"") && words.contains("\"a:b:c\""),
        "{words}"
    );
    let nothing = stage.keyring.edit_group(&tenant, &group.id, &edit(1, "Read only", &[])).await;
    assert_eq!(codes(nothing), [("permissions", "required".to_owned())]);
    let taken = stage.keyring.edit_group(&tenant, &group.id, &edit(1, "Verifier", &["*:read"])).await;
    assert_eq!(codes(taken), [("name", "taken".to_owned())]);
}

async fn group_in_use_is_not_deleted(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    let group = named(&stage, &tenant, "Full access").await;
    let [active, revoked] = [stage.generate(&tenant, "PMS").await.id, stage.generate(&tenant, "Old").await.id];
    stage.keyring.revoke_key(&tenant, &revoked).await.unwrap();
    let detail = stage.keyring.group_detail(&tenant, &group.id).await.unwrap();
    assert_eq!(detail.used, GroupUse { active_keys: 1, revoked_keys: 1, people: 0 });
    assert_eq!(detail.keys.first.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["PMS"]);
    let Err(Error::Refused(reason)) = stage.keyring.delete_group(&tenant, &group.id).await else {
        panic!("a group in use was deleted");
    };
    assert!(reason.starts_with("1 active key and 1 revoked key use this group."), "{reason}");
    stage.keyring.delete_key(&tenant, &active).await.unwrap();
    assert!(matches!(stage.keyring.delete_group(&tenant, &group.id).await, Err(Error::Refused(_))), "a revoked key");
    stage.keyring.delete_key(&tenant, &revoked).await.unwrap();
    stage.keyring.delete_group(&tenant, &group.id).await.unwrap();
    let again = stage.keyring.delete_group(&tenant, &group.id).await;
    assert!(matches!(again, Err(Error::NotFound(Thing::Group))));
    assert_eq!(stage.actions(&group.id).await, ["group.deleted"]);
}

async fn group_cannot_be_deleted_while_a_key_takes_it(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    let group = named(&stage, &tenant, "Full access").await;
    let new = keyring::NewKey {
        draft: KeyDraft { name: "PMS".to_owned(), group: group.id.to_string(), ..KeyDraft::default() },
        expiration: domain::expiration::ExpirationDraft::Never,
    };
    let generating = tokio::spawn({
        let (keyring, tenant) = (stage.keyring.clone(), tenant.clone());
        async move { keyring.generate_key(&tenant, &new).await.map(drop) }
    });
    let deleting = tokio::spawn({
        let (keyring, tenant, id) = (stage.keyring.clone(), tenant.clone(), group.id.clone());
        async move { keyring.delete_group(&tenant, &id).await }
    });
    let outcomes = [generating.await.unwrap(), deleting.await.unwrap()];
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "one of them came first: {outcomes:?}");
}

async fn foreign_group_is_not_found(stage: Stage) {
    let (acme, other) = (stage.tenant("acme").await, stage.tenant("other").await);
    let new = NewGroup {
        name: "Front desk".to_owned(),
        group_type: GroupType::Person,
        permissions: vec!["reservations:*".to_owned()],
    };
    let group = stage.keyring.create_group(&acme, new).await.unwrap().id;
    let none = |outcome: Result<(), Error>| assert!(matches!(outcome, Err(Error::NotFound(Thing::Group))));
    let missing = GroupId::parse("grp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB").unwrap();
    for id in [&group, &missing] {
        none(stage.keyring.edit_group(&other, id, &edit(1, "Theirs now", &["*"])).await.map(drop));
        none(stage.keyring.delete_group(&other, id).await);
        none(stage.keyring.group_detail(&other, id).await.map(drop));
    }
    assert_eq!(stage.actions(&group).await, ["group.created"]);
}
