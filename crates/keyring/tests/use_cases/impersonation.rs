use domain::{audit::Action, audit_query::AuditQuery, person::Role, tenant::Tenant};
use keyring::{
    ActiveSession, Error, NewInvitation, NewPerson, NewRole, NewTenant, SuperUser, TenantAdmin, TenantChange, Thing,
};

use super::stage::{PASSWORD, Stage, codes, home};

on_both_databases! {
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

async fn root(stage: &Stage) -> ActiveSession {
    let new = NewPerson { email: ROOT.to_owned(), name: "Root".to_owned(), password: PASSWORD.to_owned().into() };
    stage.keyring.ensure_super_user(new).await.unwrap();
    stage.at_the_console(ROOT).await
}

/// The same session, as it is now.
async fn entered(stage: &Stage, tenant: &TenantAdmin) -> (keyring::SessionToken, ActiveSession) {
    root(stage).await;
    let token = stage.sign_in(ROOT, PASSWORD).await.unwrap();
    stage.keyring.enter_tenant(&stage.whose(&token).await, &tenant.tenant().id).await.unwrap();
    let signed_in = stage.whose(&token).await;
    (token, signed_in)
}

/// Who entered and left, newest first: the action, the actor and the address.
async fn visits(stage: &Stage, tenant: &TenantAdmin) -> Vec<(Action, String, Option<String>)> {
    let events = stage.keyring.audit_stretch(Some(tenant), &AuditQuery::default(), 100).await.unwrap();
    let is_visit = |action| matches!(action, Action::TenantEntered | Action::TenantLeft);
    let visits = events.into_iter().filter(|event| is_visit(event.action));
    visits.map(|event| (event.action, event.actor_name, event.address)).collect()
}

fn visit(action: Action) -> (Action, String, Option<String>) {
    (action, "Root (super user)".to_owned(), Some(home().to_string()))
}

async fn super_user_enters_and_leaves_a_tenant(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    assert!(matches!(root(&stage).await.as_admin(), Err(Error::NotAnAdmin)), "who has entered none administers none");
    let (token, within) = entered(&stage, &tenant).await;
    let admin = within.as_admin().unwrap();
    assert_eq!(within.entered().map(|tenant| tenant.slug.as_str()), Some("acme"));
    stage.generate(&admin, "PMS").await;
    stage.keyring.enter_tenant(&within, &tenant.tenant().id).await.unwrap();
    assert_eq!(visits(&stage, &tenant).await, [visit(Action::TenantEntered)], "twice is once");
    for _ in 0..2 {
        stage.keyring.leave_tenant(&within).await.unwrap();
    }
    assert!(stage.whose(&token).await.as_admin().is_err());
    assert_eq!(visits(&stage, &tenant).await, [Action::TenantLeft, Action::TenantEntered].map(visit));
}

async fn entering_a_tenant_leaves_the_previous_one(stage: Stage) {
    let (acme, other) = (stage.tenant("acme").await, stage.tenant("other").await);
    let (token, within) = entered(&stage, &acme).await;
    stage.keyring.enter_tenant(&within, &other.tenant().id).await.unwrap();
    assert_eq!(stage.whose(&token).await.tenant.unwrap().slug, "other");
    assert_eq!(visits(&stage, &acme).await, [Action::TenantLeft, Action::TenantEntered].map(visit));
    assert_eq!(visits(&stage, &other).await, [visit(Action::TenantEntered)]);
}

async fn signing_out_leaves_the_tenant(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    let (token, within) = entered(&stage, &tenant).await;
    stage.keyring.sign_out(&token, home()).await.unwrap();
    assert_eq!(visits(&stage, &tenant).await, [Action::TenantLeft, Action::TenantEntered].map(visit));
    let late = stage.keyring.enter_tenant(&within, &stage.tenant("other").await.tenant().id).await;
    assert!(matches!(late, Err(Error::SessionEnded)), "a session that is over enters nothing");
}

async fn entering_affects_one_session_only(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    let elsewhere = root(&stage).await;
    entered(&stage, &tenant).await;
    assert!(elsewhere.entered().is_none());
    assert!(stage.at_the_console(ROOT).await.entered().is_none());
}

async fn only_super_users_enter_or_list_tenants(stage: Stage) {
    let (acme, other) = (stage.tenant("acme").await, stage.tenant("other").await);
    stage.person(&acme, "Ana", Role::TenantAdmin).await;
    stage.person(&acme, "Mia", Role::Member).await;
    for name in ["ana", "mia"] {
        let person = stage.at_the_console(&format!("{name}@acme.test")).await;
        for tenant in [&acme, &other] {
            let refused = stage.keyring.enter_tenant(&person, &tenant.tenant().id).await;
            assert!(matches!(refused, Err(Error::NotASuperUser)), "{name}");
        }
        assert!(matches!(stage.keyring.leave_tenant(&person).await, Err(Error::NotASuperUser)), "{name}");
        assert!(matches!(person.as_super_user(), Err(Error::NotASuperUser)), "{name} lists no tenants");
    }
    assert_eq!(visits(&stage, &acme).await, []);
    let missing = domain::id::Id::parse("ten_01JCQ4Y2V9ZK3T5N6R7S8W9XAB").unwrap();
    let nowhere = stage.keyring.enter_tenant(&root(&stage).await, &missing).await;
    assert!(matches!(nowhere, Err(Error::NotFound(Thing::Tenant))));
}

fn new_tenant(slug: &str) -> NewTenant {
    NewTenant { slug: slug.to_owned(), name: "Acme".to_owned(), key_limit: Some(3), time_zone: None }
}

fn first_admin(email: &str, name: &str) -> NewInvitation {
    let role = NewRole { role: "tenant_admin".to_owned(), groups: Vec::new() };
    NewInvitation { email: email.to_owned(), name: name.to_owned(), role }
}

async fn tenant_is_created_with_its_first_admin(stage: Stage) {
    let by = root(&stage).await.as_super_user().unwrap();
    let admin = first_admin(" ANA@acme.test ", " Ana ");
    let made = stage.keyring.create_tenant_with_admin(&by, new_tenant("acme"), &admin).await.unwrap();
    let (Tenant { key_limit, .. }, invitation) = made;
    assert_eq!(key_limit, 3);
    stage.keyring.accept_invitation(&invitation.token, PASSWORD.to_owned().into(), home()).await.unwrap();
    let ana = stage.at_the_console("ana@acme.test").await;
    let admin = ana.as_admin().unwrap();
    let events = stage.keyring.audit_stretch(Some(&admin), &AuditQuery::default(), 100).await.unwrap();
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

async fn invalid_or_taken_values_create_nothing(stage: Stage) {
    let acme = stage.tenant("acme").await;
    stage.person(&acme, "Ana", Role::TenantAdmin).await;
    let by = root(&stage).await.as_super_user().unwrap();
    let create = |new: NewTenant, admin: NewInvitation| {
        let (keyring, by) = (&stage.keyring, &by);
        async move { codes(keyring.create_tenant_with_admin(by, new, &admin).await) }
    };
    let wrong = NewTenant { key_limit: Some(u32::MAX), ..new_tenant("A b") };
    let fields: Vec<&str> = create(wrong, first_admin("nonsense", "")).await.iter().map(|(field, _)| *field).collect();
    assert_eq!(fields, ["slug", "key_limit", "email", "admin_name"]);
    assert_eq!(create(new_tenant("acme"), first_admin("b@acme.test", "Bea")).await, [("slug", "taken".to_owned())]);
    let slugs: Vec<String> =
        stage.keyring.tenants(&by).await.unwrap().into_iter().map(|overview| overview.tenant.slug).collect();
    assert_eq!(slugs, ["acme"]);
    let reports = stage.keyring.verify_audit(None, &[]).await.unwrap().chains;
    let chains: Vec<&str> = reports.iter().map(|report| report.chain.as_str()).collect();
    assert_eq!(chains, ["acme", "platform"], "not even a chain is left of it");
}

async fn tenants_are_listed_with_their_counts(stage: Stage) {
    let (acme, other) = (stage.tenant("acme").await, stage.tenant("other").await);
    stage.person(&acme, "Ana", Role::TenantAdmin).await;
    let revoked = stage.generate(&acme, "Revoked").await.id;
    stage.generate(&acme, "PMS").await;
    stage.keyring.revoke_key(&acme, &revoked).await.unwrap();
    let by = SuperUser::operator();
    let listed = stage.keyring.tenants(&by).await.unwrap();
    let told: Vec<_> = listed.iter().map(|each| (each.tenant.slug.as_str(), each.active_keys, each.people)).collect();
    assert_eq!(told, [("acme", 1, 1), ("other", 0, 0)]);
    assert_eq!(stage.keyring.tenant(&by, &other.tenant().id).await.unwrap(), listed[1]);
}

async fn unsubscribed_tenant_gets_no_secret(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    let key = stage.generate(&tenant, "PMS").await.id;
    let by = SuperUser::operator();
    let subscribe = |api_keys| {
        let (keyring, by, id) = (&stage.keyring, &by, &tenant.tenant().id);
        let wanted = TenantChange { api_keys: Some(api_keys), ..TenantChange::default() };
        async move { keyring.change_tenant(by, id, wanted).await.unwrap() }
    };
    subscribe(false).await;
    let new = keyring::NewKey {
        draft: stage.draft(&tenant, "Widget").await,
        expiration: domain::expiration::ExpirationDraft::Never,
    };
    assert!(matches!(stage.keyring.generate_key(&tenant, &new).await, Err(Error::NoSubscription)));
    let rotated = stage.keyring.rotate_key(&tenant, &key, 1, &keyring::Rotation::default()).await;
    assert!(matches!(rotated, Err(Error::NoSubscription)));
    subscribe(true).await;
    assert_eq!(stage.key(&tenant, &key).await.version, 1, "it comes back unchanged");
    stage.keyring.generate_key(&tenant, &new).await.unwrap();
}

async fn super_users_are_named_only_where_they_acted(stage: Stage) {
    let (acme, other) = (stage.tenant("acme").await, stage.tenant("other").await);
    entered(&stage, &acme).await;
    for (tenant, expected) in [(&acme, &["Root"][..]), (&other, &[])] {
        stage.person(tenant, "Ana", Role::TenantAdmin).await;
        let ana = stage.at_the_console(&format!("ana@{}.test", tenant.tenant().slug)).await;
        let acted = stage.keyring.super_users_who_acted(&ana.as_admin().unwrap()).await.unwrap();
        let to_ask = stage.keyring.admin_contacts(&ana).await.unwrap();
        for people in [acted, to_ask] {
            let names: Vec<String> = people.into_iter().map(|person| person.name).collect();
            assert_eq!(names, expected, "{}", tenant.tenant().slug);
        }
    }
}
