//! Keys of people: as far as the person goes at that moment, and theirs alone.

use domain::{
    expiration::ExpirationDraft,
    group::GroupType,
    id::{Id, PersonId},
    key::Status,
    key_draft::{KeyDraft, PermissionSource},
    key_list::KeyListQuery,
    permission::Permission,
    person::Role,
    verdict::Verdict,
};
use keyring::{
    AccessQuery, Credential, Error, KeyHolder, NewGroup, NewKey, NewRole, NewSecret, Requirement, Rotation, SuperUser,
    TenantAdmin, TenantChange,
};
use secrecy::SecretString;

use super::stage::{PASSWORD, Stage, codes, home};

on_both_databases!(
    key_has_its_owners_current_permissions,
    scopes_and_properties_restrict_a_personal_key,
    key_follows_its_owners_deactivation_and_reactivation,
    only_the_owner_manages_a_personal_key,
    admin_lists_and_revokes_personal_keys,
    person_has_at_most_ten_keys_outside_the_tenants_limit,
    unsubscribed_tenant_gets_no_personal_secret,
    super_user_has_no_personal_keys,
);

/// A person of the tenant's who has signed in, and their id.
async fn holder(stage: &Stage, tenant: &TenantAdmin, name: &str, role: Role) -> (KeyHolder, PersonId) {
    stage.person(tenant, name, role).await;
    let token = stage.sign_in(&format!("{name}@{}.test", tenant.tenant().slug), PASSWORD).await.unwrap();
    let signed_in = stage.keyring.signed_in(&token, home()).await.unwrap().unwrap();
    (signed_in.as_key_holder().unwrap(), signed_in.person.id)
}

/// Adds a person to a new group with these permissions.
async fn grant(stage: &Stage, tenant: &TenantAdmin, person: &PersonId, permissions: &[&str]) {
    let permissions = permissions.iter().map(ToString::to_string).collect();
    let new = NewGroup { name: format!("Group {}", person.as_str()), group_type: GroupType::Person, permissions };
    let group = stage.keyring.create_group(tenant, new).await.unwrap();
    make(stage, tenant, person, "member", &[group.id.to_string()]).await;
}

async fn make(stage: &Stage, tenant: &TenantAdmin, person: &PersonId, role: &str, groups: &[String]) {
    let new = NewRole { role: role.to_owned(), groups: groups.to_vec() };
    stage.keyring.set_role(tenant, person, &new).await.unwrap();
}

fn both_scopes(name: &str) -> NewKey {
    let draft = KeyDraft { name: name.to_owned(), write: true, ..KeyDraft::default() };
    NewKey { draft, expiration: ExpirationDraft::Never }
}

/// What the evaluator says of a secret, asked for a permission and a property.
async fn verdict(stage: &Stage, key: &NewSecret, permission: &str, property: Option<&str>) -> Verdict {
    let permission = Permission::parse(permission).unwrap();
    let secret: SecretString = key.secret.clone();
    let query = AccessQuery {
        address: Some(home()),
        nearest: home(),
        origin: None,
        requirement: Requirement { permission: Some(&permission), property, cost: 1, tenant: None },
    };
    match stage.keyring.evaluate(&Credential::Secret(secret), &query).await.unwrap().outcome {
        Ok(_) => Verdict::Valid,
        Err(refusal) => refusal.verdict().unwrap(),
    }
}

async fn key_has_its_owners_current_permissions(stage: Stage) {
    let acme = stage.tenant("acme").await;
    let (mei, id) = holder(&stage, &acme, "Mei", Role::Member).await;
    stage.person(&acme, "Ana", Role::TenantAdmin).await;
    let key = stage.keyring.generate_key(&mei, &both_scopes("Script")).await.unwrap();
    assert_eq!(verdict(&stage, &key, "reservations:read", None).await, Verdict::InsufficientPermissions);

    grant(&stage, &acme, &id, &["reservations:*"]).await;
    assert_eq!(verdict(&stage, &key, "reservations:read", None).await, Verdict::Valid);
    assert_eq!(verdict(&stage, &key, "properties:read", None).await, Verdict::InsufficientPermissions);
    let choices = stage.keyring.key_choices(&mei).await.unwrap();
    assert_eq!(choices.permission_source, PermissionSource::Own(vec![Permission::parse("reservations:*").unwrap()]));

    make(&stage, &acme, &id, "tenant_admin", &[]).await;
    assert_eq!(verdict(&stage, &key, "properties:read", None).await, Verdict::Valid);
    make(&stage, &acme, &id, "member", &[]).await;
    assert_eq!(verdict(&stage, &key, "reservations:read", None).await, Verdict::InsufficientPermissions);
}

async fn scopes_and_properties_restrict_a_personal_key(stage: Stage) {
    let acme = stage.tenant("acme").await;
    let (ana, _) = holder(&stage, &acme, "Ana", Role::TenantAdmin).await;
    let properties = stage.keyring.key_choices(&ana).await.unwrap().properties;
    let (mine, other) = (properties[0].id.to_string(), properties[1].id.to_string());
    let draft = KeyDraft { all_properties: false, properties: vec![mine.clone()], ..both_scopes("Narrow").draft };
    let draft = KeyDraft { write: false, ..draft };
    let key = stage.keyring.generate_key(&ana, &NewKey { draft, expiration: ExpirationDraft::Never }).await.unwrap();
    assert_eq!(verdict(&stage, &key, "reservations:read", Some(&mine)).await, Verdict::Valid);
    assert_eq!(verdict(&stage, &key, "reservations:write", Some(&mine)).await, Verdict::InsufficientPermissions);
    assert_eq!(verdict(&stage, &key, "reservations:read", Some(&other)).await, Verdict::PropertyNotAllowed);
    assert_eq!(codes(stage.keyring.generate_key(&ana, &both_scopes("x")).await), [("name", "too_short".to_owned())]);
}

async fn key_follows_its_owners_deactivation_and_reactivation(stage: Stage) {
    let acme = stage.tenant("acme").await;
    let (mei, id) = holder(&stage, &acme, "Mei", Role::Member).await;
    grant(&stage, &acme, &id, &["*"]).await;
    let key = stage.keyring.generate_key(&mei, &both_scopes("Script")).await.unwrap();
    assert_eq!(verdict(&stage, &key, "reservations:read", None).await, Verdict::Valid);
    stage.keyring.deactivate(&acme, &id).await.unwrap();
    assert_eq!(verdict(&stage, &key, "reservations:read", None).await, Verdict::Disabled);
    stage.keyring.reactivate(&acme, &id).await.unwrap();
    assert_eq!(verdict(&stage, &key, "reservations:read", None).await, Verdict::Valid);
}

async fn only_the_owner_manages_a_personal_key(stage: Stage) {
    let acme = stage.tenant("acme").await;
    let (mei, _) = holder(&stage, &acme, "Mei", Role::Member).await;
    let (ana, _) = holder(&stage, &acme, "Ana", Role::TenantAdmin).await;
    let key = stage.keyring.generate_key(&mei, &both_scopes("Mine")).await.unwrap();
    let mine = stage.keyring.key(&mei, &key.id).await.unwrap();
    assert_eq!((mine.group, mine.owner.unwrap().name), (None, "Mei".to_owned()));

    let draft = KeyDraft { name: "Theirs".to_owned(), ..KeyDraft::default() };
    let seen = stage.keyring.keys(&ana, &KeyListQuery::default()).await.unwrap();
    assert_eq!(seen.total, 0, "an admin's own keys are others");
    assert!(stage.names(&acme, &KeyListQuery::default()).await.is_empty(), "nor are they the tenant's");
    assert!(matches!(stage.keyring.key(&ana, &key.id).await, Err(Error::NotFound(_))));
    assert!(matches!(stage.keyring.edit_key(&ana, &key.id, 1, &draft).await, Err(Error::NotFound(_))));
    assert!(matches!(stage.keyring.rotate_key(&acme, &key.id, 1, &Rotation::default()).await, Err(Error::NotFound(_))));
    assert!(matches!(stage.keyring.delete_key(&ana, &key.id).await, Err(Error::NotFound(_))));
    assert!(matches!(stage.keyring.revoke_key(&ana, &key.id).await, Err(Error::NotFound(_))));

    let edited = stage.keyring.edit_key(&mei, &key.id, 1, &draft).await.unwrap();
    let rotated = stage.keyring.rotate_key(&mei, &key.id, edited.version, &Rotation::default()).await.unwrap();
    assert_eq!(verdict(&stage, &key, "reservations:read", None).await, Verdict::Revoked);
    assert_eq!(verdict(&stage, &rotated, "reservations:read", None).await, Verdict::InsufficientPermissions);
    let withdrawn = stage.keyring.revoke_key(&mei, &key.id).await.unwrap();
    assert_eq!((withdrawn.status(), withdrawn.revoked_by.as_deref()), (Status::Revoked, Some("Mei")));
    assert_eq!(stage.keyring.keys(&mei, &KeyListQuery::default()).await.unwrap().total, 1, "it stays listed");
}

async fn admin_lists_and_revokes_personal_keys(stage: Stage) {
    let (acme, other) = (stage.tenant("acme").await, stage.tenant("other").await);
    let (mei, _) = holder(&stage, &acme, "Mei", Role::Member).await;
    let key = stage.keyring.generate_key(&mei, &both_scopes("Script")).await.unwrap();
    let overseer = acme.for_personal_keys();
    let listed = stage.keyring.keys(&overseer, &KeyListQuery::default()).await.unwrap();
    assert_eq!(listed.keys[0].owner.as_ref().unwrap().name, "Mei");
    let foreign = other.for_personal_keys();
    assert_eq!(stage.keyring.keys(&foreign, &KeyListQuery::default()).await.unwrap().total, 0);
    assert!(matches!(stage.keyring.revoke_key(&foreign, &key.id).await, Err(Error::NotFound(_))));
    assert!(matches!(stage.keyring.revoke_key(&acme, &key.id).await, Err(Error::NotFound(_))), "no tenant key");

    stage.keyring.revoke_key(&overseer, &key.id).await.unwrap();
    assert_eq!(verdict(&stage, &key, "reservations:read", None).await, Verdict::Revoked);
    assert_eq!(stage.keyring.key(&mei, &key.id).await.unwrap().revoked_by.as_deref(), Some("Operator"));
    assert_eq!(stage.actions(&key.id).await, ["key.generated", "key.revoked"]);
}

async fn person_has_at_most_ten_keys_outside_the_tenants_limit(stage: Stage) {
    let acme = stage.tenant_with_limit("acme", 1).await;
    let (mei, _) = holder(&stage, &acme, "Mei", Role::Member).await;
    for number in 0..10 {
        stage.keyring.generate_key(&mei, &both_scopes(&format!("Script {number}"))).await.unwrap();
    }
    let eleventh = stage.keyring.generate_key(&mei, &both_scopes("Script 10")).await;
    assert!(matches!(eleventh, Err(Error::OwnLimitReached { limit: 10 })));
    assert_eq!(keyring::key_limit(&mei), 10);
    stage.generate(&acme, "The tenant's one key").await;
    assert_eq!(stage.keyring.active_keys(&acme).await.unwrap(), 1);
}

async fn unsubscribed_tenant_gets_no_personal_secret(stage: Stage) {
    let acme = stage.tenant("acme").await;
    let (mei, id) = holder(&stage, &acme, "Mei", Role::Member).await;
    grant(&stage, &acme, &id, &["*"]).await;
    let key = stage.keyring.generate_key(&mei, &both_scopes("Script")).await.unwrap();
    let switch = async |on: bool| {
        let wanted = TenantChange { api_keys: Some(on), ..TenantChange::default() };
        stage.keyring.change_tenant(&SuperUser::operator(), &acme.tenant().id, wanted).await.unwrap();
    };
    switch(false).await;
    assert_eq!(verdict(&stage, &key, "reservations:read", None).await, Verdict::Disabled);
    assert!(matches!(stage.keyring.generate_key(&mei, &both_scopes("More")).await, Err(Error::NoSubscription)));
    let rotated = stage.keyring.rotate_key(&mei, &key.id, 1, &Rotation::default()).await;
    assert!(matches!(rotated, Err(Error::NoSubscription)));
    let of_tenant = NewKey { draft: stage.draft(&acme, "PMS").await, expiration: ExpirationDraft::Never };
    assert!(matches!(stage.keyring.generate_key(&acme, &of_tenant).await, Err(Error::NoSubscription)));
    switch(true).await;
    assert_eq!(verdict(&stage, &key, "reservations:read", None).await, Verdict::Valid);
}

async fn super_user_has_no_personal_keys(stage: Stage) {
    let acme = stage.tenant("acme").await;
    stage.keyring.create_person(None, Role::SuperUser, root()).await.unwrap();
    let token = stage.sign_in("root@latchkey.test", PASSWORD).await.unwrap();
    let root = stage.keyring.signed_in(&token, home()).await.unwrap().unwrap();
    assert!(matches!(root.as_key_holder(), Err(Error::NoKeysOfTheirOwn)));
    stage.keyring.enter_tenant(&root, &acme.tenant().id).await.unwrap();
    let root = stage.keyring.signed_in(&token, home()).await.unwrap().unwrap();
    assert!(matches!(root.as_key_holder(), Err(Error::NoKeysOfTheirOwn)), "not in a tenant either");
}

fn root() -> keyring::NewPerson {
    keyring::NewPerson {
        email: "root@latchkey.test".to_owned(),
        name: "Root".to_owned(),
        password: PASSWORD.to_owned().into(),
    }
}
