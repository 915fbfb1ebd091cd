use domain::{group::GroupType, person::Role};
use keyring::{Error, NewGroup, NewPerson, NewProperty, NewTenant, SuperUser, TenantChange, Thing};

use super::fixture::{PASSWORD, TestKeyring, codes};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    tenant_starts_with_three_groups,
    invalid_and_taken_values_are_reported,
    unset_fields_are_unchanged,
    role_and_tenant_must_match,
    first_super_user_is_created_once,
    concurrent_starts_create_one_super_user,
    audit_log_is_a_chain,
}

fn tenant(slug: &str) -> NewTenant {
    NewTenant { slug: slug.to_owned(), name: "Acme".to_owned(), key_limit: None, time_zone: None }
}

fn person(email: &str) -> NewPerson {
    NewPerson { email: email.to_owned(), name: "Ana".to_owned(), password: PASSWORD.to_owned().into() }
}

async fn tenant_starts_with_three_groups(app: TestKeyring) {
    let made = app.keyring.create_tenant(&SuperUser::operator(), tenant("acme")).await.unwrap();
    assert_eq!((made.key_limit, made.api_keys, made.time_zone.as_str()), (10, true, "UTC"));
    let operator = app.keyring.operator_for("acme").await.unwrap();
    let groups = app.keyring.groups(&operator).await.unwrap();
    let shown: Vec<(String, String)> =
        groups.into_iter().map(|group| (group.name, group.permissions[0].to_string())).collect();
    let expected = [("Full access", "*"), ("Read only", "*:read"), ("Verifier", "keys:verify")];
    assert_eq!(shown, expected.map(|(name, permission)| (name.to_owned(), permission.to_owned())));
}

async fn invalid_and_taken_values_are_reported(app: TestKeyring) {
    let keyring = &app.keyring;
    keyring.create_tenant(&SuperUser::operator(), tenant("acme")).await.unwrap();
    assert_eq!(
        codes(keyring.create_tenant(&SuperUser::operator(), tenant("acme")).await),
        [("slug", "taken".to_owned())]
    );
    let wrong = NewTenant {
        name: " ".to_owned(),
        key_limit: Some(2_000_000),
        time_zone: Some("Mars/Olympus".to_owned()),
        ..tenant("A b")
    };
    let fields: Vec<&str> =
        codes(keyring.create_tenant(&SuperUser::operator(), wrong).await).iter().map(|(field, _)| *field).collect();
    assert_eq!(fields, ["name", "slug", "key_limit", "time_zone"]);
    assert!(matches!(keyring.operator_for("unknown").await, Err(Error::NotFound(Thing::Tenant))));

    let operator = keyring.operator_for("acme").await.unwrap();
    let harbour = || NewProperty { name: "Harbour House".to_owned() };
    keyring.create_property(&operator, harbour()).await.unwrap();
    assert_eq!(codes(keyring.create_property(&operator, harbour()).await), [("name", "taken".to_owned())]);
    let group =
        NewGroup { name: "Full access".to_owned(), group_type: GroupType::Person, permissions: vec!["*".to_owned()] };
    assert_eq!(codes(keyring.create_group(&operator, group).await), [("name", "taken".to_owned())]);
    let group = NewGroup { name: "B".to_owned(), group_type: GroupType::Person, permissions: vec!["Read".to_owned()] };
    let expected = [("name", "too_short".to_owned()), ("permissions", "not_a_permission".to_owned())];
    assert_eq!(codes(keyring.create_group(&operator, group).await), expected);

    keyring.create_person(Some(&operator), Role::Member, person("ana@acme.test")).await.unwrap();
    let again = keyring.create_person(Some(&operator), Role::Member, person("ANA@acme.test")).await;
    assert_eq!(codes(again), [("email", "taken".to_owned())]);
    let short = NewPerson { password: "short".to_owned().into(), ..person("nonsense") };
    let expected = [("email", "not_an_email".to_owned()), ("password", "too_short".to_owned())];
    assert_eq!(codes(keyring.create_person(Some(&operator), Role::Member, short).await), expected);
}

async fn unset_fields_are_unchanged(app: TestKeyring) {
    let before = app.keyring.create_tenant(&SuperUser::operator(), tenant("acme")).await.unwrap();
    let operator = app.keyring.operator_for("acme").await.unwrap();
    let wanted = TenantChange { key_limit: Some(50), api_keys: Some(false), ..TenantChange::default() };
    let after = app.keyring.change_tenant(&SuperUser::operator(), &operator.tenant().id, wanted).await.unwrap();
    assert_eq!(after, domain::tenant::Tenant { key_limit: 50, api_keys: false, ..before });
    assert_eq!(app.actions(&after.id).await, ["tenant.created", "tenant.changed"]);
}

async fn role_and_tenant_must_match(app: TestKeyring) {
    app.keyring.create_tenant(&SuperUser::operator(), tenant("acme")).await.unwrap();
    let operator = app.keyring.operator_for("acme").await.unwrap();
    let inside = app.keyring.create_person(Some(&operator), Role::SuperUser, person("a@acme.test")).await;
    assert!(matches!(inside, Err(Error::Refused(_))));
    let outside = app.keyring.create_person(None, Role::TenantAdmin, person("b@acme.test")).await;
    assert!(matches!(outside, Err(Error::Refused(_))));
}

async fn first_super_user_is_created_once(app: TestKeyring) {
    app.keyring.ensure_super_user(person("root@acme.test")).await.unwrap();
    app.keyring.ensure_super_user(person("second@acme.test")).await.unwrap();
    let super_users = app.keyring.people(None).await.unwrap();
    assert_eq!(super_users.len(), 1);
    assert_eq!(super_users[0].person.email.as_str(), "root@acme.test");
}

async fn concurrent_starts_create_one_super_user(app: TestKeyring) {
    let starts: Vec<_> = (0..4)
        .map(|_| {
            let keyring = app.keyring.clone();
            tokio::spawn(async move { keyring.ensure_super_user(person("root@acme.test")).await })
        })
        .collect();
    for start in starts {
        start.await.unwrap().unwrap();
    }
    assert_eq!(app.keyring.people(None).await.unwrap().len(), 1);
}

async fn audit_log_is_a_chain(app: TestKeyring) {
    let acme = app.tenant("acme").await;
    let other = app.tenant("other").await;
    app.generate(&acme, "PMS").await;
    app.generate(&other, "PMS").await;
    let hashes = "SELECT hash FROM audit_event ORDER BY chain_id, sequence";
    let all = app.texts(hashes).await;
    let mut different = all.clone();
    different.sort();
    different.dedup();
    assert_eq!(all.len(), 8, "a tenant, two properties and a key, twice");
    assert_eq!(different.len(), all.len());
    let heads = app.texts("SELECT hash FROM audit_chain ORDER BY id").await;
    assert_eq!(heads, [all[3].clone(), all[7].clone()], "each chain ends in its last row");
}
