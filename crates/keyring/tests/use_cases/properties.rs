use domain::{
    caller::Caller,
    id::PropertyId,
    key_draft::KeyDraft,
    property::{Property, PropertyScope},
};
use keyring::{AccessQuery, Credential, Error, NewProperty, NewSecret, Refusal, Renaming, Requirement, Thing};
use secrecy::{ExposeSecret, SecretString};

use super::fixture::{TestKeyring, codes};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    property_rename_is_audited,
    names_are_unique_even_among_archived_properties,
    second_rename_gets_a_conflict,
    archived_property_is_out_of_scope_until_restored,
    edit_keeps_the_archived_part_of_a_selection,
    keys_with_access_to_a_property_are_counted_and_listed,
    foreign_property_is_not_found,
}

fn to(name: &str) -> Renaming {
    Renaming { seen: None, name: name.to_owned() }
}

/// Generates a key that reaches some properties only.
async fn narrowed(app: &TestKeyring, tenant: &keyring::TenantAdmin, name: &str, to: &[&Property]) -> NewSecret {
    let properties = to.iter().map(|property| property.id.to_string()).collect();
    let draft = KeyDraft { all_properties: false, properties, ..app.draft(tenant, name).await };
    let new = keyring::NewKey { draft, expiration: domain::expiration::ExpirationDraft::Never };
    app.keyring.generate_key(tenant, &new).await.unwrap()
}

async fn decide(app: &TestKeyring, secret: &SecretString, property: Option<&PropertyId>) -> Result<Caller, Refusal> {
    let address = "203.0.113.7".parse().unwrap();
    let secret = SecretString::from(secret.expose_secret().to_owned());
    let property = property.map(ToString::to_string);
    let query = AccessQuery {
        address: Some(address),
        nearest: address,
        origin: None,
        requirement: Requirement { permission: None, property: property.as_deref(), cost: 0, tenant: None },
    };
    app.keyring.evaluate(&Credential::Secret(secret), &query).await.unwrap().admit().map(|(caller, _)| caller)
}

async fn property_rename_is_audited(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let [harbour, _] = app.properties(&tenant).await;
    let after = app.keyring.rename_property(&tenant, &harbour.id, &to(" Harbour Hotel ")).await.unwrap();
    assert_eq!(after.property.name, "Harbour Hotel");
    app.keyring.rename_property(&tenant, &harbour.id, &to("Harbour Hotel")).await.unwrap();
    assert_eq!(app.actions(&harbour.id).await, ["property.created", "property.renamed"], "the same name is no change");
    assert_eq!(
        codes(app.keyring.rename_property(&tenant, &harbour.id, &to("x")).await),
        [("name", "too_short".into())]
    );
}

async fn names_are_unique_even_among_archived_properties(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let [harbour, old_town] = app.properties(&tenant).await;
    let taken = app.keyring.rename_property(&tenant, &harbour.id, &to("Old Town")).await;
    assert_eq!(codes(taken), [("name", "taken".to_owned())]);
    app.keyring.archive_property(&tenant, &old_town.id).await.unwrap();
    let Err(Error::Invalid(errors)) =
        app.keyring.create_property(&tenant, NewProperty { name: "Old Town".to_owned() }).await
    else {
        panic!("the name is an archived property's");
    };
    assert!(errors.to_string().contains("An archived property has this name."), "{errors}");
}

async fn second_rename_gets_a_conflict(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let (ana, ben) = (app.admin(&tenant, "Ana").await, app.admin(&tenant, "Ben").await);
    let [harbour, _] = app.properties(&tenant).await;
    let rename = |name: &str| Renaming { seen: Some("Harbour House".to_owned()), name: name.to_owned() };
    app.keyring.rename_property(&ana, &harbour.id, &rename("Ana's House")).await.unwrap();
    let bens = app.keyring.rename_property(&ben, &harbour.id, &rename("Ben's House")).await;
    assert!(matches!(bens, Err(Error::Outdated { thing: Thing::Property, ref by }) if by == "Ana"), "{bens:?}");
    assert_eq!(app.properties(&tenant).await[0].name, "Ana's House");
}

async fn archived_property_is_out_of_scope_until_restored(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let [harbour, old_town] = app.properties(&tenant).await;
    let both = narrowed(&app, &tenant, "Both", &[&harbour, &old_town]).await;
    let all = app.generate(&tenant, "All").await;
    app.keyring.archive_property(&tenant, &harbour.id).await.unwrap();
    app.keyring.archive_property(&tenant, &harbour.id).await.unwrap();

    for secret in [&both.secret, &all.secret] {
        let caller = decide(&app, secret, None).await.unwrap();
        let (seen, _) = app.keyring.reachable_properties(&caller, 10, None).await.unwrap();
        assert_eq!(seen, std::slice::from_ref(&old_town));
        assert_eq!(app.keyring.reachable_property(&caller, &harbour.id.to_string()).await.unwrap(), None);
        let named = decide(&app, secret, Some(&harbour.id)).await;
        assert!(matches!(named, Err(Refusal::NoSuchProperty)), "it is answered like one that does not exist");
        decide(&app, secret, Some(&old_town.id)).await.expect("the other one is still there");
    }
    assert_eq!(app.key(&tenant, &both.id).await.reach, PropertyScope::Only(vec![old_town.id.clone()]));
    assert_eq!(
        app.keyring.key_choices(&tenant).await.unwrap().properties,
        std::slice::from_ref(&old_town),
        "it is not offered"
    );
    let draft = KeyDraft {
        all_properties: false,
        properties: vec![harbour.id.to_string()],
        ..app.draft(&tenant, "Too late").await
    };
    let new = keyring::NewKey { draft, expiration: domain::expiration::ExpirationDraft::Never };
    assert_eq!(codes(app.keyring.generate_key(&tenant, &new).await), [("properties", "not_found".to_owned())]);

    app.keyring.restore_property(&tenant, &harbour.id).await.unwrap();
    app.keyring.restore_property(&tenant, &harbour.id).await.unwrap();
    decide(&app, &both.secret, Some(&harbour.id)).await.unwrap();
    decide(&app, &all.secret, Some(&harbour.id)).await.unwrap();
    let expected = ["property.created", "property.archived", "property.restored"];
    assert_eq!(app.actions(&harbour.id).await, expected, "twice is once");
}

async fn edit_keeps_the_archived_part_of_a_selection(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let [harbour, old_town] = app.properties(&tenant).await;
    let key = narrowed(&app, &tenant, "Both", &[&harbour, &old_town]).await.id;
    app.keyring.archive_property(&tenant, &harbour.id).await.unwrap();
    let seen = app.key(&tenant, &key).await;
    let draft = KeyDraft { name: "Renamed".to_owned(), ..KeyDraft::of(&seen) };
    let seen = app.keyring.edit_key(&tenant, &key, seen.version, &draft).await.unwrap();
    app.keyring.restore_property(&tenant, &harbour.id).await.unwrap();
    let mut both = vec![harbour.id.clone(), old_town.id.clone()];
    both.sort();
    assert_eq!(app.key(&tenant, &key).await.reach, PropertyScope::Only(both));

    app.keyring.archive_property(&tenant, &harbour.id).await.unwrap();
    let draft = KeyDraft { all_properties: true, properties: Vec::new(), ..draft };
    let seen = app.keyring.edit_key(&tenant, &key, seen.version, &draft).await.unwrap();
    let draft = KeyDraft { all_properties: false, properties: vec![old_town.id.to_string()], ..draft };
    app.keyring.edit_key(&tenant, &key, seen.version, &draft).await.unwrap();
    app.keyring.restore_property(&tenant, &harbour.id).await.unwrap();
    let reach = app.key(&tenant, &key).await.reach;
    assert_eq!(reach, PropertyScope::Only(vec![old_town.id]), "access to all of them replaced the selection");
}

async fn keys_with_access_to_a_property_are_counted_and_listed(app: TestKeyring) {
    let tenant = app.tenant_with_limit("acme", 100).await;
    let [harbour, old_town] = app.properties(&tenant).await;
    app.generate(&tenant, "To all").await;
    narrowed(&app, &tenant, "Both", &[&harbour, &old_town]).await;
    let only = narrowed(&app, &tenant, "Only the harbour", &[&harbour]).await.id;
    let gone = narrowed(&app, &tenant, "Gone", &[&harbour]).await.id;
    app.keyring.revoke_key(&tenant, &gone).await.unwrap();
    let detail = app.keyring.property_detail(&tenant, &harbour.id).await.unwrap();
    let names: Vec<&str> = detail.keys.first.iter().map(|key| key.name.as_str()).collect();
    assert_eq!((names, detail.keys.count), (vec!["Both", "Only the harbour", "To all"], 3));
    assert_eq!(detail.keys.first[1].id, only);
    let counts: Vec<u64> =
        app.keyring.property_overviews(&tenant).await.unwrap().iter().map(|one| one.active_keys).collect();
    assert_eq!(counts, [3, 2]);
    for number in 0..50 {
        app.generate(&tenant, &format!("Key {number}")).await;
    }
    let many = app.keyring.property_detail(&tenant, &harbour.id).await.unwrap().keys;
    assert_eq!((many.first.len(), many.count), (50, 53), "no more than fifty are named");
}

async fn foreign_property_is_not_found(app: TestKeyring) {
    let (acme, other) = (app.tenant("acme").await, app.tenant("other").await);
    let [harbour, _] = app.properties(&acme).await;
    let keyring = &app.keyring;
    let none = |outcome: Result<(), Error>| assert!(matches!(outcome, Err(Error::NotFound(Thing::Property))));
    none(keyring.rename_property(&other, &harbour.id, &to("Theirs now")).await.map(drop));
    none(keyring.archive_property(&other, &harbour.id).await.map(drop));
    none(keyring.restore_property(&other, &harbour.id).await.map(drop));
    none(keyring.property_detail(&other, &harbour.id).await.map(drop));
    assert_eq!(app.actions(&harbour.id).await, ["property.created"]);
    assert_eq!(keyring.property_overviews(&other).await.unwrap().len(), 2);
}
