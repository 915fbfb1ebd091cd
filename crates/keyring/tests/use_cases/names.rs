//! Limits of the names that people type, in every use case that takes one.

use domain::{expiration::ExpirationDraft, group::GroupType, key_draft::KeyDraft, person::Role};
use keyring::{
    Error, GroupEdit, NewGroup, NewInvitation, NewKey, NewPerson, NewProperty, NewRole, NewTenant, Renaming, SuperUser,
    TenantChange,
};

use super::fixture::{PASSWORD, TestKeyring, codes, home};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    oversized_name_is_refused_everywhere,
    invisible_name_is_refused_everywhere,
    person_cannot_be_named_like_the_operator_or_with_a_role,
}

/// Gives the same name to one of everything.
async fn give_everywhere(app: &TestKeyring, name: &str) -> Vec<(&'static str, Result<(), Error>)> {
    let (keyring, operator) = (&app.keyring, SuperUser::operator());
    let tenant = app.tenant("acme").await;
    let [harbour, _] = app.properties(&tenant).await;
    let groups = keyring.groups(&tenant).await.unwrap();
    app.person(&tenant, "ana", Role::Member).await;
    let session = app.sign_in("ana@acme.test", PASSWORD).await.unwrap();
    let ana = keyring.signed_in(&session, home()).await.unwrap().unwrap();
    let key = app.generate(&tenant, "PMS").await.id;
    let seen = app.key(&tenant, &key).await.version;

    let name = name.to_owned();
    let new_tenant = NewTenant { slug: "other".to_owned(), name: name.clone(), key_limit: None, time_zone: None };
    let change = TenantChange { name: Some(name.clone()), ..TenantChange::default() };
    let person = NewPerson { email: "ben@acme.test".to_owned(), name: name.clone(), password: PASSWORD.into() };
    let role = NewRole { role: "tenant_admin".to_owned(), groups: Vec::new() };
    let invitation = NewInvitation { email: "eva@acme.test".to_owned(), name: name.clone(), role };
    let permissions = vec!["*:read".to_owned()];
    let group = NewGroup { name: name.clone(), group_type: GroupType::TenantApiKey, permissions: permissions.clone() };
    let edit = GroupEdit { seen: None, name: name.clone(), permissions };
    let draft = KeyDraft { name: name.clone(), ..app.draft(&tenant, "PMS").await };
    let new_key = NewKey { draft: draft.clone(), expiration: ExpirationDraft::Never };
    let renaming = Renaming { seen: None, name: name.clone() };
    vec![
        ("create_tenant", keyring.create_tenant(&operator, new_tenant).await.map(drop)),
        ("change_tenant", keyring.change_tenant(&operator, &tenant.tenant().id, change).await.map(drop)),
        ("create_person", keyring.create_person(Some(&tenant), Role::Member, person).await.map(drop)),
        ("invite_person", keyring.invite_person(&tenant, &invitation).await.map(drop)),
        ("rename_oneself", keyring.rename_oneself(&ana, &name).await),
        ("create_property", keyring.create_property(&tenant, NewProperty { name }).await.map(drop)),
        ("rename_property", keyring.rename_property(&tenant, &harbour.id, &renaming).await.map(drop)),
        ("create_group", keyring.create_group(&tenant, group).await.map(drop)),
        ("edit_group", keyring.edit_group(&tenant, &groups[0].id, &edit).await.map(drop)),
        ("generate_key", keyring.generate_key(&tenant, &new_key).await.map(drop)),
        ("edit_key", keyring.edit_key(&tenant, &key, seen, &draft).await.map(drop)),
    ]
}

/// Two characters to the eye, and 18 kB.
async fn oversized_name_is_refused_everywhere(app: TestKeyring) {
    let name = format!("a{}b", "\u{301}".repeat(9_000));
    for (use_case, outcome) in give_everywhere(&app, &name).await {
        assert_eq!(codes(outcome), [("name", "too_long".to_owned())], "{use_case}");
    }
}

async fn invisible_name_is_refused_everywhere(app: TestKeyring) {
    for (use_case, outcome) in give_everywhere(&app, "\u{202E}SMP\u{200B}").await {
        assert_eq!(codes(outcome), [("name", "invisible_character".to_owned())], "{use_case}");
    }
}

async fn person_cannot_be_named_like_the_operator_or_with_a_role(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    app.person(&tenant, "ana", Role::Member).await;
    let ana = app.at_the_console("ana@acme.test").await;
    for name in ["Operator", "Ana (super user)"] {
        let (email, name) = ("ben@acme.test".to_owned(), name.to_owned());
        let role = NewRole { role: "member".to_owned(), groups: Vec::new() };
        let invitation = NewInvitation { email: email.clone(), name: name.clone(), role };
        let person = NewPerson { email, name: name.clone(), password: PASSWORD.into() };
        for refused in [
            app.keyring.rename_oneself(&ana, &name).await,
            app.keyring.invite_person(&tenant, &invitation).await.map(drop),
            app.keyring.create_person(Some(&tenant), Role::Member, person).await.map(drop),
        ] {
            let Err(Error::Invalid(errors)) = refused else { panic!("{name}: {refused:?}") };
            assert!(errors.to_string().contains("reserved"), "{errors}");
        }
    }
}
