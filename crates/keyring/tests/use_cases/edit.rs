use chrono::TimeDelta;
use domain::{key_draft::KeyDraft, property::PropertyScope, scope::Scopes};
use keyring::Error;

use super::fixture::{TestKeyring, codes};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    edit_changes_the_terms_and_not_the_secret,
    second_editor_sees_what_the_first_changed,
    one_of_two_concurrent_edits_wins,
    saving_without_a_change_writes_nothing,
    revoked_key_cannot_be_edited,
    all_invalid_fields_are_reported,
}

async fn edit_changes_the_terms_and_not_the_secret(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let id = app.generate(&tenant, "PMS").await.id;
    let before = app.key(&tenant, &id).await;
    let properties = app.keyring.properties(&tenant).await.unwrap();
    let draft = KeyDraft {
        name: "Front desk".to_owned(),
        write: true,
        all_properties: false,
        properties: properties.iter().map(|property| property.id.to_string()).collect(),
        ..KeyDraft::of(&before)
    };
    let after = app.keyring.edit_key(&tenant, &id, before.version, &draft).await.unwrap();
    assert_eq!((after.name.as_str(), after.scopes), ("Front desk", Scopes::Both));
    assert!(matches!(&after.reach, PropertyScope::Only(ids) if ids.len() == 2));
    assert_eq!((after.hint.clone(), after.expires_at, after.version), (before.hint, before.expires_at, 2));
    let narrowed = KeyDraft { properties: vec![properties[0].id.to_string()], ..draft };
    let after = app.keyring.edit_key(&tenant, &id, 2, &narrowed).await.unwrap();
    assert_eq!(after.reach, PropertyScope::Only(vec![properties[0].id.clone()]));
    assert_eq!(app.actions(&id).await, ["key.generated", "key.edited", "key.edited"]);
}

async fn second_editor_sees_what_the_first_changed(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let (ana, ben) = (app.admin(&tenant, "Ana").await, app.admin(&tenant, "Ben").await);
    let id = app.generate(&ana, "PMS").await.id;
    let opened = app.key(&ana, &id).await;
    app.advance(TimeDelta::minutes(1));
    let anas = KeyDraft { name: "Ana's name".to_owned(), ..KeyDraft::of(&opened) };
    app.keyring.edit_key(&ana, &id, opened.version, &anas).await.unwrap();
    let bens = KeyDraft { name: "Ben's name".to_owned(), ..KeyDraft::of(&opened) };
    let Err(Error::Changed(changed)) = app.keyring.edit_key(&ben, &id, opened.version, &bens).await else {
        panic!("Ben overwrote what Ana had saved");
    };
    assert_eq!((changed.by.as_str(), changed.at), ("Ana", app.now()));
    assert_eq!(changed.current.name, "Ana's name");
    app.keyring.edit_key(&ben, &id, changed.current.version, &bens).await.expect("he has seen it now");
}

async fn one_of_two_concurrent_edits_wins(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let id = app.generate(&tenant, "PMS").await.id;
    let opened = app.key(&tenant, &id).await;
    let edit = |name: &str| {
        let draft = KeyDraft { name: name.to_owned(), ..KeyDraft::of(&opened) };
        let (keyring, tenant, id) = (app.keyring.clone(), tenant.clone(), id.clone());
        tokio::spawn(async move { keyring.edit_key(&tenant, &id, 1, &draft).await })
    };
    let (first, second) = (edit("One"), edit("Two"));
    let outcomes = [first.await.unwrap(), second.await.unwrap()];
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Err(Error::Changed(_)))).count(), 1);
}

async fn saving_without_a_change_writes_nothing(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let id = app.generate(&tenant, "PMS").await.id;
    let key = app.key(&tenant, &id).await;
    let saved = app.keyring.edit_key(&tenant, &id, 1, &KeyDraft::of(&key)).await.unwrap();
    assert_eq!(saved.version, 1);
    assert_eq!(app.actions(&id).await, ["key.generated"]);
}

async fn revoked_key_cannot_be_edited(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let id = app.generate(&tenant, "PMS").await.id;
    let key = app.keyring.revoke_key(&tenant, &id).await.unwrap();
    let refused = app.keyring.edit_key(&tenant, &id, key.version, &KeyDraft::of(&key)).await;
    assert!(matches!(refused, Err(Error::Revoked)));
}

async fn all_invalid_fields_are_reported(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let id = app.generate(&tenant, "PMS").await.id;
    let key = app.key(&tenant, &id).await;
    let draft = KeyDraft { name: String::new(), rate_limit_per_minute: "many".to_owned(), ..KeyDraft::of(&key) };
    let refused = app.keyring.edit_key(&tenant, &id, 1, &draft).await;
    let expected = [("name", "required".to_owned()), ("rate_limit_per_minute", "not_a_number".to_owned())];
    assert_eq!(codes(refused), expected);
    assert_eq!(app.key(&tenant, &id).await, key);
}
