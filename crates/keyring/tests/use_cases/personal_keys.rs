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

use super::fixture::{PASSWORD, TestKeyring, codes, home};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    key_has_its_owners_current_permissions,
    scopes_and_properties_restrict_a_personal_key,
    key_follows_its_owners_deactivation_and_reactivation,
    only_the_owner_manages_a_personal_key,
    admin_lists_and_revokes_personal_keys,
    person_has_at_most_ten_keys_outside_the_tenants_limit,
    unsubscribed_tenant_gets_no_personal_secret,
    super_user_has_no_personal_keys,
}

/// A person of the tenant's who has signed in, and their id.
async fn holder(app: &TestKeyring, tenant: &TenantAdmin, name: &str, role: Role) -> (KeyHolder, PersonId) {
    app.person(tenant, name, role).await;
    let token = app.sign_in(&format!("{name}@{}.test", tenant.tenant().slug), PASSWORD).await.unwrap();
    let signed_in = app.keyring.signed_in(&token, home()).await.unwrap().unwrap();
    (signed_in.as_key_holder().unwrap(), signed_in.person.id)
}

/// Adds a person to a new group with these permissions.
async fn grant(app: &TestKeyring, tenant: &TenantAdmin, person: &PersonId, permissions: &[&str]) {
    let permissions = permissions.iter().map(ToString::to_string).collect();
    let new = NewGroup { name: format!("Group {}", person.as_str()), group_type: GroupType::Person, permissions };
    let group = app.keyring.create_group(tenant, new).await.unwrap();
    make(app, tenant, person, "member", &[group.id.to_string()]).await;
}

async fn make(app: &TestKeyring, tenant: &TenantAdmin, person: &PersonId, role: &str, groups: &[String]) {
    let new = NewRole { role: role.to_owned(), groups: groups.to_vec() };
    app.keyring.set_role(tenant, person, &new).await.unwrap();
}

fn both_scopes(name: &str) -> NewKey {
    let draft = KeyDraft { name: name.to_owned(), write: true, ..KeyDraft::default() };
    NewKey { draft, expiration: ExpirationDraft::Never }
}

/// Returns the verdict for a secret, a permission and a property.
async fn verdict(app: &TestKeyring, key: &NewSecret, permission: &str, property: Option<&str>) -> Verdict {
    let permission = Permission::parse(permission).unwrap();
    let secret: SecretString = key.secret.clone();
    let query = AccessQuery {
        address: Some(home()),
        nearest: home(),
        origin: None,
        requirement: Requirement { permission: Some(&permission), property, cost: 1, tenant: None },
    };
    match app.keyring.evaluate(&Credential::Secret(secret), &query).await.unwrap().outcome {
        Ok(_) => Verdict::Valid,
        Err(refusal) => refusal.verdict().unwrap(),
    }
}

async fn key_has_its_owners_current_permissions(app: TestKeyring) {
    let acme = app.tenant("acme").await;
    let (mei, id) = holder(&app, &acme, "Mei", Role::Member).await;
    app.person(&acme, "Ana", Role::TenantAdmin).await;
    let key = app.keyring.generate_key(&mei, &both_scopes("Script")).await.unwrap();
    assert_eq!(verdict(&app, &key, "reservations:read", None).await, Verdict::InsufficientPermissions);

    grant(&app, &acme, &id, &["reservations:*"]).await;
    assert_eq!(verdict(&app, &key, "reservations:read", None).await, Verdict::Valid);
    assert_eq!(verdict(&app, &key, "properties:read", None).await, Verdict::InsufficientPermissions);
    let choices = app.keyring.key_choices(&mei).await.unwrap();
    assert_eq!(choices.permission_source, PermissionSource::Own(vec![Permission::parse("reservations:*").unwrap()]));

    make(&app, &acme, &id, "tenant_admin", &[]).await;
    assert_eq!(verdict(&app, &key, "properties:read", None).await, Verdict::Valid);
    make(&app, &acme, &id, "member", &[]).await;
    assert_eq!(verdict(&app, &key, "reservations:read", None).await, Verdict::InsufficientPermissions);
}

async fn scopes_and_properties_restrict_a_personal_key(app: TestKeyring) {
    let acme = app.tenant("acme").await;
    let (ana, _) = holder(&app, &acme, "Ana", Role::TenantAdmin).await;
    let properties = app.keyring.key_choices(&ana).await.unwrap().properties;
    let (mine, other) = (properties[0].id.to_string(), properties[1].id.to_string());
    let draft = KeyDraft { all_properties: false, properties: vec![mine.clone()], ..both_scopes("Narrow").draft };
    let draft = KeyDraft { write: false, ..draft };
    let key = app.keyring.generate_key(&ana, &NewKey { draft, expiration: ExpirationDraft::Never }).await.unwrap();
    assert_eq!(verdict(&app, &key, "reservations:read", Some(&mine)).await, Verdict::Valid);
    assert_eq!(verdict(&app, &key, "reservations:write", Some(&mine)).await, Verdict::InsufficientPermissions);
    assert_eq!(verdict(&app, &key, "reservations:read", Some(&other)).await, Verdict::PropertyNotAllowed);
    assert_eq!(codes(app.keyring.generate_key(&ana, &both_scopes("x")).await), [("name", "too_short".to_owned())]);
}

async fn key_follows_its_owners_deactivation_and_reactivation(app: TestKeyring) {
    let acme = app.tenant("acme").await;
    let (mei, id) = holder(&app, &acme, "Mei", Role::Member).await;
    grant(&app, &acme, &id, &["*"]).await;
    let key = app.keyring.generate_key(&mei, &both_scopes("Script")).await.unwrap();
    assert_eq!(verdict(&app, &key, "reservations:read", None).await, Verdict::Valid);
    app.keyring.deactivate(&acme, &id).await.unwrap();
    assert_eq!(verdict(&app, &key, "reservations:read", None).await, Verdict::Disabled);
    app.keyring.reactivate(&acme, &id).await.unwrap();
    assert_eq!(verdict(&app, &key, "reservations:read", None).await, Verdict::Valid);
}

async fn only_the_owner_manages_a_personal_key(app: TestKeyring) {
    let acme = app.tenant("acme").await;
    let (mei, _) = holder(&app, &acme, "Mei", Role::Member).await;
    let (ana, _) = holder(&app, &acme, "Ana", Role::TenantAdmin).await;
    let key = app.keyring.generate_key(&mei, &both_scopes("Mine")).await.unwrap();
    let mine = app.keyring.key(&mei, &key.id).await.unwrap();
    assert_eq!((mine.group, mine.owner.unwrap().name), (None, "Mei".to_owned()));

    let draft = KeyDraft { name: "Theirs".to_owned(), ..KeyDraft::default() };
    let seen = app.keyring.keys(&ana, &KeyListQuery::default()).await.unwrap();
    assert_eq!(seen.total, 0, "an admin's own keys are others");
    assert!(app.names(&acme, &KeyListQuery::default()).await.is_empty(), "nor are they the tenant's");
    assert!(matches!(app.keyring.key(&ana, &key.id).await, Err(Error::NotFound(_))));
    assert!(matches!(app.keyring.edit_key(&ana, &key.id, 1, &draft).await, Err(Error::NotFound(_))));
    assert!(matches!(app.keyring.rotate_key(&acme, &key.id, 1, &Rotation::default()).await, Err(Error::NotFound(_))));
    assert!(matches!(app.keyring.delete_key(&ana, &key.id).await, Err(Error::NotFound(_))));
    assert!(matches!(app.keyring.revoke_key(&ana, &key.id).await, Err(Error::NotFound(_))));

    let edited = app.keyring.edit_key(&mei, &key.id, 1, &draft).await.unwrap();
    let rotated = app.keyring.rotate_key(&mei, &key.id, edited.version, &Rotation::default()).await.unwrap();
    assert_eq!(verdict(&app, &key, "reservations:read", None).await, Verdict::SecretReplaced);
    assert_eq!(verdict(&app, &rotated, "reservations:read", None).await, Verdict::InsufficientPermissions);
    let withdrawn = app.keyring.revoke_key(&mei, &key.id).await.unwrap();
    assert_eq!((withdrawn.status(), withdrawn.revoked_by.as_deref()), (Status::Revoked, Some("Mei")));
    assert_eq!(app.keyring.keys(&mei, &KeyListQuery::default()).await.unwrap().total, 1, "it stays listed");
}

async fn admin_lists_and_revokes_personal_keys(app: TestKeyring) {
    let (acme, other) = (app.tenant("acme").await, app.tenant("other").await);
    let (mei, _) = holder(&app, &acme, "Mei", Role::Member).await;
    let key = app.keyring.generate_key(&mei, &both_scopes("Script")).await.unwrap();
    let overseer = acme.for_personal_keys();
    let listed = app.keyring.keys(&overseer, &KeyListQuery::default()).await.unwrap();
    assert_eq!(listed.keys[0].owner.as_ref().unwrap().name, "Mei");
    let foreign = other.for_personal_keys();
    assert_eq!(app.keyring.keys(&foreign, &KeyListQuery::default()).await.unwrap().total, 0);
    assert!(matches!(app.keyring.revoke_key(&foreign, &key.id).await, Err(Error::NotFound(_))));
    assert!(matches!(app.keyring.revoke_key(&acme, &key.id).await, Err(Error::NotFound(_))), "no tenant key");

    app.keyring.revoke_key(&overseer, &key.id).await.unwrap();
    assert_eq!(verdict(&app, &key, "reservations:read", None).await, Verdict::Revoked);
    assert_eq!(app.keyring.key(&mei, &key.id).await.unwrap().revoked_by.as_deref(), Some("Operator"));
    assert_eq!(app.actions(&key.id).await, ["key.generated", "key.revoked"]);
}

async fn person_has_at_most_ten_keys_outside_the_tenants_limit(app: TestKeyring) {
    let acme = app.tenant_with_limit("acme", 1).await;
    let (mei, _) = holder(&app, &acme, "Mei", Role::Member).await;
    for number in 0..10 {
        app.keyring.generate_key(&mei, &both_scopes(&format!("Script {number}"))).await.unwrap();
    }
    let eleventh = app.keyring.generate_key(&mei, &both_scopes("Script 10")).await;
    assert!(matches!(eleventh, Err(Error::OwnLimitReached { limit: 10 })));
    assert_eq!(keyring::key_limit(&mei), 10);
    app.generate(&acme, "The tenant's one key").await;
    assert_eq!(app.keyring.active_keys(&acme).await.unwrap(), 1);
}

async fn unsubscribed_tenant_gets_no_personal_secret(app: TestKeyring) {
    let acme = app.tenant("acme").await;
    let (mei, id) = holder(&app, &acme, "Mei", Role::Member).await;
    grant(&app, &acme, &id, &["*"]).await;
    let key = app.keyring.generate_key(&mei, &both_scopes("Script")).await.unwrap();
    let switch = async |on: bool| {
        let wanted = TenantChange { api_keys: Some(on), ..TenantChange::default() };
        app.keyring.change_tenant(&SuperUser::operator(), &acme.tenant().id, wanted).await.unwrap();
    };
    switch(false).await;
    assert_eq!(verdict(&app, &key, "reservations:read", None).await, Verdict::Disabled);
    assert!(matches!(app.keyring.generate_key(&mei, &both_scopes("More")).await, Err(Error::NoSubscription)));
    let rotated = app.keyring.rotate_key(&mei, &key.id, 1, &Rotation::default()).await;
    assert!(matches!(rotated, Err(Error::NoSubscription)));
    let of_tenant = NewKey { draft: app.draft(&acme, "PMS").await, expiration: ExpirationDraft::Never };
    assert!(matches!(app.keyring.generate_key(&acme, &of_tenant).await, Err(Error::NoSubscription)));
    switch(true).await;
    assert_eq!(verdict(&app, &key, "reservations:read", None).await, Verdict::Valid);
}

async fn super_user_has_no_personal_keys(app: TestKeyring) {
    let acme = app.tenant("acme").await;
    app.keyring.create_person(None, Role::SuperUser, root()).await.unwrap();
    let token = app.sign_in("root@latchkey.test", PASSWORD).await.unwrap();
    let root = app.keyring.signed_in(&token, home()).await.unwrap().unwrap();
    assert!(matches!(root.as_key_holder(), Err(Error::NoKeysOfTheirOwn)));
    app.keyring.enter_tenant(&root, &acme.tenant().id).await.unwrap();
    let root = app.keyring.signed_in(&token, home()).await.unwrap().unwrap();
    assert!(matches!(root.as_key_holder(), Err(Error::NoKeysOfTheirOwn)), "not in a tenant either");
}

fn root() -> keyring::NewPerson {
    keyring::NewPerson {
        email: "root@latchkey.test".to_owned(),
        name: "Root".to_owned(),
        password: PASSWORD.to_owned().into(),
    }
}
