//! Runs every use case that changes something once, and checks what the audit log records.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{
    audit::Action,
    audit_query::AuditQuery,
    expiration::ExpirationDraft,
    group::GroupType,
    id::PersonId,
    key_draft::{Grace, KeyDraft},
    person::Role,
};
use keyring::{
    AuditEvent, GroupEdit, NewGroup, NewInvitation, NewKey, NewPermission, NewPerson, NewProperty, NewRole, NewTenant,
    PersonScope, Renaming, Rotation, SuperUser, TenantAdmin, TenantChange, generate_secret_key,
};
use secrecy::ExposeSecret;

use super::fixture::{PASSWORD, TestKeyring, home, write_secret_keys};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    every_mutation_is_audited,
}

/// Values that must not appear in any row.
type Secrets = Vec<String>;

async fn every_mutation_is_audited(app: TestKeyring) {
    let mut secrets = vec![PASSWORD.to_owned(), ANOTHER.to_owned()];
    let tenant = super_user_changes_tenants(&app, &mut secrets).await;
    what_admins_keep(&app, &tenant).await;
    admin_changes_keys(&app, &tenant, &mut secrets).await;
    admin_changes_people(&app, &tenant, &mut secrets).await;
    people_change_themselves(&app, &tenant, &mut secrets).await;

    what_operators_do(&app).await;

    let mut events = all(&app, None).await;
    events.extend(all(&app, Some(&tenant)).await);
    let told: BTreeSet<&str> = events.iter().map(|event| event.action.as_str()).collect();
    let untold: Vec<&Action> = Action::ALL.iter().filter(|action| !told.contains(action.as_str())).collect();
    assert_eq!(untold, [&Action::AuditSealed], "only the first start after an upgrade does this");
    for event in &events {
        let row = format!("{event:?}");
        assert!(!event.actor.is_empty() && !event.actor_name.is_empty(), "{row}: who did it?");
        assert!(!event.subject.is_empty() && !event.subject_name.is_empty(), "{row}: what was it done to?");
        assert!(event.detail.is_object(), "{row}");
        assert!(secrets.iter().all(|secret| !row.contains(secret)), "{row} holds a secret");
    }
    // Another keyring rotated the secret key.
    let reports = app.reopen().await.unwrap().verify_audit(None, &[]).await.unwrap().chains;
    assert!(reports.iter().all(|report| report.fault.is_none()), "{reports:?}");
}

const ANOTHER: &str = "another long password";

async fn all(app: &TestKeyring, tenant: Option<&TenantAdmin>) -> Vec<AuditEvent> {
    app.keyring.audit_stretch(tenant, &AuditQuery::default(), 1000).await.unwrap()
}

async fn id_of(app: &TestKeyring, tenant: &TenantAdmin, name: &str) -> PersonId {
    let people = app.keyring.people(Some(tenant)).await.unwrap();
    people.into_iter().find(|profile| profile.person.name == name).unwrap().person.id
}

fn person(email: &str, name: &str) -> NewPerson {
    NewPerson { email: email.to_owned(), name: name.to_owned(), password: PASSWORD.to_owned().into() }
}

fn invitation(email: &str, name: &str) -> NewInvitation {
    let role = NewRole { role: "member".to_owned(), groups: Vec::new() };
    NewInvitation { email: email.to_owned(), name: name.to_owned(), role }
}

async fn super_user_changes_tenants(app: &TestKeyring, secrets: &mut Secrets) -> TenantAdmin {
    let keyring = &app.keyring;
    let tenant = app.tenant("acme").await;
    keyring.ensure_super_user(person("root@latchkey.test", "Root")).await.unwrap();
    let root = app.at_the_console("root@latchkey.test").await;
    let by = root.as_super_user().unwrap();
    let new = NewTenant { slug: "other".to_owned(), name: "Other".to_owned(), key_limit: None, time_zone: None };
    let (_, link) = keyring.create_tenant_with_admin(&by, new, &invitation("olga@other.test", "Olga")).await.unwrap();
    secrets.push(link.token.expose_secret().to_owned());
    let id = &tenant.tenant().id;
    let wanted = TenantChange { name: Some("Acme".to_owned()), ..TenantChange::default() };
    keyring.change_tenant(&by, id, wanted).await.unwrap();
    keyring.enter_tenant(&root, id).await.unwrap();
    let token = app.sign_in("root@latchkey.test", PASSWORD).await.unwrap();
    keyring.enter_tenant(&app.whose(&token).await, id).await.unwrap();
    keyring.sign_out(&token, home()).await.unwrap();
    tenant
}

async fn what_admins_keep(app: &TestKeyring, tenant: &TenantAdmin) {
    let keyring = &app.keyring;
    let property = keyring.create_property(tenant, NewProperty { name: "Annexe".to_owned() }).await.unwrap();
    let renaming = Renaming { seen: None, name: "Pavilion".to_owned() };
    keyring.rename_property(tenant, &property.id, &renaming).await.unwrap();
    keyring.archive_property(tenant, &property.id).await.unwrap();
    keyring.restore_property(tenant, &property.id).await.unwrap();
    let permissions = vec!["reservations:read".to_owned()];
    let new = NewGroup { name: "Booking".to_owned(), group_type: GroupType::Person, permissions };
    let group = keyring.create_group(tenant, new).await.unwrap();
    let edit = GroupEdit { seen: None, name: "Front desk".to_owned(), permissions: vec!["*".to_owned()] };
    keyring.edit_group(tenant, &group.id, &edit).await.unwrap();
    keyring.delete_group(tenant, &group.id).await.unwrap();
}

async fn admin_changes_keys(app: &TestKeyring, tenant: &TenantAdmin, secrets: &mut Secrets) {
    let keyring = &app.keyring;
    let draft = app.draft(tenant, "PMS").await;
    let new = NewKey { draft: draft.clone(), expiration: ExpirationDraft::Never };
    let made = keyring.generate_key(tenant, &new).await.unwrap();
    let edited = KeyDraft { name: "Front desk".to_owned(), ..draft };
    let key = keyring.edit_key(tenant, &made.id, 1, &edited).await.unwrap();
    let rotation = Rotation { expiration: None, grace: Grace::OneHour };
    let rotated = keyring.rotate_key(tenant, &made.id, key.version, &rotation).await.unwrap();
    keyring.end_grace(tenant, &made.id).await.unwrap();
    keyring.revoke_key(tenant, &made.id).await.unwrap();
    keyring.delete_key(tenant, &made.id).await.unwrap();
    secrets.extend([made.secret, rotated.secret].map(|secret| secret.expose_secret().to_owned()));
}

async fn admin_changes_people(app: &TestKeyring, tenant: &TenantAdmin, secrets: &mut Secrets) {
    let keyring = &app.keyring;
    app.person(tenant, "Ana", Role::TenantAdmin).await;
    let invited = keyring.invite_person(tenant, &invitation("mia@acme.test", "Mia")).await.unwrap();
    let mia = id_of(app, tenant, "Mia").await;
    let link = keyring.make_password_link(tenant, &mia).await.unwrap();
    secrets.extend([&invited.token, &link.token].map(|token| token.expose_secret().to_owned()));
    keyring.accept_invitation(&link.token, PASSWORD.to_owned().into(), home()).await.unwrap();
    let role = NewRole { role: "tenant_admin".to_owned(), groups: Vec::new() };
    keyring.set_role(tenant, &mia, &role).await.unwrap();
    keyring.deactivate(tenant, &mia).await.unwrap();
    keyring.reactivate(tenant, &mia).await.unwrap();
    let signed_in = app.at_the_console("mia@acme.test").await;
    let (_, codes) = app.with_second_factor(&signed_in).await;
    secrets.extend(codes.iter().map(|code| code.expose_secret().to_owned()));
    keyring.reset_second_factor(tenant, &mia).await.unwrap();
    keyring.end_sessions_of(tenant, &mia).await.unwrap();
    for is_required in [true, false] {
        keyring.require_second_factor(tenant, is_required).await.unwrap();
    }
    keyring.set_password("mia@acme.test", PersonScope::Everyone, ANOTHER.to_owned().into()).await.unwrap();
}

async fn what_operators_do(app: &TestKeyring) {
    let (file, new) = (&app.secret_keys, generate_secret_key());
    let old = std::fs::read_to_string(file).unwrap();
    write_secret_keys(file, &[new.expose_secret(), &old]);
    app.reopen().await.unwrap().rotate_secret_key().await.unwrap();
    let operator = SuperUser::operator();
    let new = NewPermission { permission: "invoices:read".to_owned(), name: None, description: String::new() };
    app.keyring.add_permission(&operator, new).await.unwrap();
    app.keyring.remove_permission(&operator, "invoices:read").await.unwrap();
}

async fn people_change_themselves(app: &TestKeyring, tenant: &TenantAdmin, secrets: &mut Secrets) {
    let keyring = &app.keyring;
    app.person(tenant, "Ben", Role::Member).await;
    let token = app.sign_in("ben@acme.test", PASSWORD).await.unwrap();
    let ben = app.whose(&token).await;
    keyring.rename_oneself(&ben, "Benno").await.unwrap();
    let (authenticator, codes) = app.with_second_factor(&ben).await;
    app.confirm(&ben, &authenticator.code(app.now())).await.unwrap();
    let more = keyring.renew_recovery_codes(&ben).await.unwrap();
    secrets.extend(codes.iter().chain(&more).map(|code| code.expose_secret().to_owned()));
    app.advance(TimeDelta::minutes(1));
    keyring.turn_off_second_factor(&ben).await.unwrap();
    keyring.change_password(&ben, PASSWORD.to_owned().into(), ANOTHER.to_owned().into()).await.unwrap();
    keyring.sign_out_everywhere(&ben).await.unwrap();
    for _ in 0..10 {
        assert!(app.sign_in("ben@acme.test", "a wrong guess").await.is_err());
    }
    keyring.report_repeated_failures().await.unwrap();
    secrets.push(token.expose().to_owned());
}
