use domain::{audit::Action, audit_query::AuditQuery, person::Role, tenant::Tenant};
use keyring::{
    ActiveSession, Error, NewInvitation, NewPerson, NewRole, NewTenant, SuperUser, TenantAdmin, TenantChange, Thing,
};

use super::fixture::{PASSWORD, TestKeyring, codes, home};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    super_user_enters_and_leaves_a_tenant,
    entering_a_tenant_leaves_the_previous_one,
    signing_out_leaves_the_tenant,
    entering_affects_one_session_only,
    only_super_users_enter_or_list_tenants,
    tenant_is_created_with_its_first_admin,
    invalid_or_taken_values_create_nothing,
    tenants_are_listed_with_their_counts,
    unsubscribed_tenant_gets_no_secret,
    super_users_are_named_only_where_they_acted,
}

const ROOT: &str = "root@latchkey.test";

async fn root(app: &TestKeyring) -> ActiveSession {
    let new = NewPerson { email: ROOT.to_owned(), name: "Root".to_owned(), password: PASSWORD.to_owned().into() };
    app.keyring.ensure_super_user(new).await.unwrap();
    app.at_the_console(ROOT).await
}

/// The same session, as it is now.
async fn entered(app: &TestKeyring, tenant: &TenantAdmin) -> (keyring::SessionToken, ActiveSession) {
    root(app).await;
    let token = app.sign_in(ROOT, PASSWORD).await.unwrap();
    app.keyring.enter_tenant(&app.whose(&token).await, &tenant.tenant().id).await.unwrap();
    let signed_in = app.whose(&token).await;
    (token, signed_in)
}

/// Returns the visits, newest first: the action, the actor and the address.
async fn visits(app: &TestKeyring, tenant: &TenantAdmin) -> Vec<(Action, String, Option<String>)> {
    let events = app.keyring.audit_stretch(Some(tenant), &AuditQuery::default(), 100).await.unwrap();
    let is_visit = |action| matches!(action, Action::TenantEntered | Action::TenantLeft);
    let visits = events.into_iter().filter(|event| is_visit(event.action));
    visits.map(|event| (event.action, event.actor_name, event.address)).collect()
}

fn visit(action: Action) -> (Action, String, Option<String>) {
    (action, "Root (super user)".to_owned(), Some(home().to_string()))
}

async fn super_user_enters_and_leaves_a_tenant(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    assert!(matches!(root(&app).await.as_admin(), Err(Error::NotAnAdmin)), "who has entered none administers none");
    let (token, within) = entered(&app, &tenant).await;
    let admin = within.as_admin().unwrap();
    assert_eq!(within.entered().map(|tenant| tenant.slug.as_str()), Some("acme"));
    app.generate(&admin, "PMS").await;
    app.keyring.enter_tenant(&within, &tenant.tenant().id).await.unwrap();
    assert_eq!(visits(&app, &tenant).await, [visit(Action::TenantEntered)], "twice is once");
    for _ in 0..2 {
        app.keyring.leave_tenant(&within).await.unwrap();
    }
    assert!(app.whose(&token).await.as_admin().is_err());
    assert_eq!(visits(&app, &tenant).await, [Action::TenantLeft, Action::TenantEntered].map(visit));
}

async fn entering_a_tenant_leaves_the_previous_one(app: TestKeyring) {
    let (acme, other) = (app.tenant("acme").await, app.tenant("other").await);
    let (token, within) = entered(&app, &acme).await;
    app.keyring.enter_tenant(&within, &other.tenant().id).await.unwrap();
    assert_eq!(app.whose(&token).await.tenant.unwrap().slug, "other");
    assert_eq!(visits(&app, &acme).await, [Action::TenantLeft, Action::TenantEntered].map(visit));
    assert_eq!(visits(&app, &other).await, [visit(Action::TenantEntered)]);
}

async fn signing_out_leaves_the_tenant(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let (token, within) = entered(&app, &tenant).await;
    app.keyring.sign_out(&token, home()).await.unwrap();
    assert_eq!(visits(&app, &tenant).await, [Action::TenantLeft, Action::TenantEntered].map(visit));
    let late = app.keyring.enter_tenant(&within, &app.tenant("other").await.tenant().id).await;
    assert!(matches!(late, Err(Error::SessionEnded)), "a session that is over enters nothing");
}

async fn entering_affects_one_session_only(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let elsewhere = root(&app).await;
    entered(&app, &tenant).await;
    assert!(elsewhere.entered().is_none());
    assert!(app.at_the_console(ROOT).await.entered().is_none());
}

async fn only_super_users_enter_or_list_tenants(app: TestKeyring) {
    let (acme, other) = (app.tenant("acme").await, app.tenant("other").await);
    app.person(&acme, "Ana", Role::TenantAdmin).await;
    app.person(&acme, "Mia", Role::Member).await;
    for name in ["ana", "mia"] {
        let person = app.at_the_console(&format!("{name}@acme.test")).await;
        for tenant in [&acme, &other] {
            let refused = app.keyring.enter_tenant(&person, &tenant.tenant().id).await;
            assert!(matches!(refused, Err(Error::NotASuperUser)), "{name}");
        }
        assert!(matches!(app.keyring.leave_tenant(&person).await, Err(Error::NotASuperUser)), "{name}");
        assert!(matches!(person.as_super_user(), Err(Error::NotASuperUser)), "{name} lists no tenants");
    }
    assert_eq!(visits(&app, &acme).await, []);
    let missing = domain::id::Id::parse("ten_01JCQ4Y2V9ZK3T5N6R7S8W9XAB").unwrap();
    let nowhere = app.keyring.enter_tenant(&root(&app).await, &missing).await;
    assert!(matches!(nowhere, Err(Error::NotFound(Thing::Tenant))));
}

fn new_tenant(slug: &str) -> NewTenant {
    NewTenant { slug: slug.to_owned(), name: "Acme".to_owned(), key_limit: Some(3), time_zone: None }
}

fn first_admin(email: &str, name: &str) -> NewInvitation {
    let role = NewRole { role: "tenant_admin".to_owned(), groups: Vec::new() };
    NewInvitation { email: email.to_owned(), name: name.to_owned(), role }
}

async fn tenant_is_created_with_its_first_admin(app: TestKeyring) {
    let by = root(&app).await.as_super_user().unwrap();
    let admin = first_admin(" ANA@acme.test ", " Ana ");
    let made = app.keyring.create_tenant_with_admin(&by, new_tenant("acme"), &admin).await.unwrap();
    let (Tenant { key_limit, .. }, invitation) = made;
    assert_eq!(key_limit, 3);
    app.keyring.accept_invitation(&invitation.token, PASSWORD.to_owned().into(), home()).await.unwrap();
    let ana = app.at_the_console("ana@acme.test").await;
    let admin = ana.as_admin().unwrap();
    let events = app.keyring.audit_stretch(Some(&admin), &AuditQuery::default(), 100).await.unwrap();
    let told: Vec<_> = events.iter().rev().map(|event| (event.action, event.subject_name.as_str())).collect();
    let expected = [
        (Action::TenantCreated, "Acme"),
        (Action::PersonInvited, "Ana"),
        (Action::PersonJoined, "Ana"),
        (Action::SessionOpened, "Ana"),
    ];
    assert_eq!(told, expected);
    assert_eq!(events.last().unwrap().actor_name, "Root (super user)");
}

async fn invalid_or_taken_values_create_nothing(app: TestKeyring) {
    let acme = app.tenant("acme").await;
    app.person(&acme, "Ana", Role::TenantAdmin).await;
    let by = root(&app).await.as_super_user().unwrap();
    let create = |new: NewTenant, admin: NewInvitation| {
        let (keyring, by) = (&app.keyring, &by);
        async move { codes(keyring.create_tenant_with_admin(by, new, &admin).await) }
    };
    let wrong = NewTenant { key_limit: Some(u32::MAX), ..new_tenant("A b") };
    let fields: Vec<&str> = create(wrong, first_admin("nonsense", "")).await.iter().map(|(field, _)| *field).collect();
    assert_eq!(fields, ["slug", "key_limit", "email", "admin_name"]);
    assert_eq!(create(new_tenant("acme"), first_admin("b@acme.test", "Bea")).await, [("slug", "taken".to_owned())]);
    let slugs: Vec<String> =
        app.keyring.tenants(&by).await.unwrap().into_iter().map(|overview| overview.tenant.slug).collect();
    assert_eq!(slugs, ["acme"]);
    let reports = app.keyring.verify_audit(None, &[]).await.unwrap().chains;
    let chains: Vec<&str> = reports.iter().map(|report| report.chain.as_str()).collect();
    assert_eq!(chains, ["acme", "platform"], "not even a chain is left of it");
}

async fn tenants_are_listed_with_their_counts(app: TestKeyring) {
    let (acme, other) = (app.tenant("acme").await, app.tenant("other").await);
    app.person(&acme, "Ana", Role::TenantAdmin).await;
    let revoked = app.generate(&acme, "Revoked").await.id;
    app.generate(&acme, "PMS").await;
    app.keyring.revoke_key(&acme, &revoked).await.unwrap();
    let by = SuperUser::operator();
    let listed = app.keyring.tenants(&by).await.unwrap();
    let told: Vec<_> = listed.iter().map(|each| (each.tenant.slug.as_str(), each.active_keys, each.people)).collect();
    assert_eq!(told, [("acme", 1, 1), ("other", 0, 0)]);
    assert_eq!(app.keyring.tenant(&by, &other.tenant().id).await.unwrap(), listed[1]);
}

async fn unsubscribed_tenant_gets_no_secret(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let key = app.generate(&tenant, "PMS").await.id;
    let by = SuperUser::operator();
    let subscribe = |api_keys| {
        let (keyring, by, id) = (&app.keyring, &by, &tenant.tenant().id);
        let wanted = TenantChange { api_keys: Some(api_keys), ..TenantChange::default() };
        async move { keyring.change_tenant(by, id, wanted).await.unwrap() }
    };
    subscribe(false).await;
    let new = keyring::NewKey {
        draft: app.draft(&tenant, "Widget").await,
        expiration: domain::expiration::ExpirationDraft::Never,
    };
    assert!(matches!(app.keyring.generate_key(&tenant, &new).await, Err(Error::NoSubscription)));
    let rotated = app.keyring.rotate_key(&tenant, &key, 1, &keyring::Rotation::default()).await;
    assert!(matches!(rotated, Err(Error::NoSubscription)));
    subscribe(true).await;
    assert_eq!(app.key(&tenant, &key).await.version, 1, "it comes back unchanged");
    app.keyring.generate_key(&tenant, &new).await.unwrap();
}

async fn super_users_are_named_only_where_they_acted(app: TestKeyring) {
    let (acme, other) = (app.tenant("acme").await, app.tenant("other").await);
    entered(&app, &acme).await;
    for (tenant, expected) in [(&acme, &["Root"][..]), (&other, &[])] {
        app.person(tenant, "Ana", Role::TenantAdmin).await;
        let ana = app.at_the_console(&format!("ana@{}.test", tenant.tenant().slug)).await;
        let acted = app.keyring.super_users_who_acted(&ana.as_admin().unwrap()).await.unwrap();
        let to_ask = app.keyring.admin_contacts(&ana).await.unwrap();
        for people in [acted, to_ask] {
            let names: Vec<String> = people.into_iter().map(|person| person.name).collect();
            assert_eq!(names, expected, "{}", tenant.tenant().slug);
        }
    }
}
