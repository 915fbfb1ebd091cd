use std::time::Instant;

use chrono::TimeDelta;
use domain::person::Role;
use keyring::{
    Credentials, Error, MAX_SESSION_AGE, MAX_SUPER_USER_SESSION_AGE, NewPerson, PersonScope, SessionToken, TenantAdmin,
};

use super::fixture::{PASSWORD, TestKeyring, client, home};

const ROOT: &str = "root@latchkey.test";

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    organization_tells_people_with_one_address_apart,
    ambiguous_address_is_refused_like_a_wrong_password,
    super_user_comes_first_without_an_organization,
    deactivated_namesake_does_not_make_an_address_ambiguous,
    operator_names_the_tenant_of_an_ambiguous_address,
    correct_password_opens_a_session,
    wrong_password_and_unknown_address_get_the_same_answer,
    unused_session_ends,
    session_ends_at_its_maximum_age_however_often_it_is_used,
    signing_out_ends_the_session,
    only_the_hash_of_a_session_is_stored,
    password_change_ends_the_sessions,
    guessing_is_throttled,
    strangers_cannot_lock_out_a_signed_out_person,
    member_is_not_an_admin,
}

async fn session_ends_at_its_maximum_age_however_often_it_is_used(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    app.person(&tenant, "Ana", Role::TenantAdmin).await;
    let new = NewPerson { email: ROOT.to_owned(), name: "Root".to_owned(), password: PASSWORD.to_owned().into() };
    app.keyring.ensure_super_user(new).await.unwrap();
    for (email, max_age) in [("ana@acme.test", MAX_SESSION_AGE), (ROOT, MAX_SUPER_USER_SESSION_AGE)] {
        let token = app.sign_in(email, PASSWORD).await.unwrap();
        let ends_at = app.now() + max_age;
        while app.now() < ends_at {
            assert!(app.keyring.signed_in(&token, home()).await.unwrap().is_some(), "{email} at {}", app.now());
            app.advance(TimeDelta::hours(6));
        }
        assert!(app.keyring.signed_in(&token, home()).await.unwrap().is_none(), "{email} after {max_age}");
    }
}

async fn correct_password_opens_a_session(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    app.person(&tenant, "Ana", Role::TenantAdmin).await;
    let token = app.sign_in(" ANA@acme.test ", PASSWORD).await.unwrap();
    let signed_in = app.keyring.signed_in(&token, home()).await.unwrap().unwrap();
    assert_eq!((signed_in.person.name.as_str(), signed_in.person.role), ("Ana", Role::TenantAdmin));
    assert_eq!(signed_in.tenant.unwrap().slug, "acme");
}

async fn wrong_password_and_unknown_address_get_the_same_answer(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    app.person(&tenant, "Ana", Role::TenantAdmin).await;
    let mut took = Vec::new();
    for email in ["ana@acme.test", "unknown@acme.test"] {
        let start = Instant::now();
        for _ in 0..4 {
            assert!(matches!(app.sign_in(email, "wrong password").await, Err(Error::WrongCredentials)));
        }
        took.push(start.elapsed().as_secs_f64());
    }
    // Without the dummy hash, the second attempt would take a hundredth of the time of the first.
    assert!(took[1] > took[0] / 4.0, "an unknown address answers too quickly: {took:?}");
}

async fn unused_session_ends(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    app.person(&tenant, "Ana", Role::TenantAdmin).await;
    let token = app.sign_in("ana@acme.test", PASSWORD).await.unwrap();
    for _ in 0..3 {
        app.advance(TimeDelta::hours(11));
        assert!(app.keyring.signed_in(&token, home()).await.unwrap().is_some(), "in use");
    }
    app.advance(TimeDelta::hours(12));
    assert!(app.keyring.signed_in(&token, home()).await.unwrap().is_none());
}

async fn signing_out_ends_the_session(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    app.person(&tenant, "Ana", Role::TenantAdmin).await;
    let token = app.sign_in("ana@acme.test", PASSWORD).await.unwrap();
    let elsewhere = app.sign_in("ana@acme.test", PASSWORD).await.unwrap();
    app.keyring.sign_out(&token, home()).await.unwrap();
    app.keyring.sign_out(&token, home()).await.unwrap();
    assert!(app.keyring.signed_in(&token, home()).await.unwrap().is_none());
    assert!(app.keyring.signed_in(&elsewhere, home()).await.unwrap().is_some());
}

async fn only_the_hash_of_a_session_is_stored(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    app.person(&tenant, "Ana", Role::TenantAdmin).await;
    let token = app.sign_in("ana@acme.test", PASSWORD).await.unwrap();
    let stored = app.texts("SELECT token_sha256 FROM session").await;
    assert_eq!(stored.len(), 1);
    assert_ne!(stored[0], token.expose());
    let stolen = SessionToken::presented(&stored[0]);
    assert!(app.keyring.signed_in(&stolen, home()).await.unwrap().is_none(), "what is stored opens nothing");
}

async fn password_change_ends_the_sessions(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    app.person(&tenant, "Ana", Role::TenantAdmin).await;
    let token = app.sign_in("ana@acme.test", PASSWORD).await.unwrap();
    app.keyring
        .set_password("ana@acme.test", PersonScope::Everyone, "another long password".to_owned().into())
        .await
        .unwrap();
    assert!(app.keyring.signed_in(&token, home()).await.unwrap().is_none());
    assert!(app.sign_in("ana@acme.test", PASSWORD).await.is_err());
    assert!(app.sign_in("ana@acme.test", "another long password").await.is_ok());
}

async fn guessing_is_throttled(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    app.person(&tenant, "Ana", Role::TenantAdmin).await;
    let guess = |address: &'static str, password: &'static str| {
        let credentials =
            Credentials { organization: None, email: "ana@acme.test".to_owned(), password: password.to_owned().into() };
        let keyring = app.keyring.clone();
        async move { keyring.sign_in(credentials, None, &client(address)).await }
    };
    let guesses: Vec<_> = (0..20).map(|_| tokio::spawn(guess("198.51.100.9", "a wrong guess"))).collect();
    let mut looked_at = 0;
    for guess in guesses {
        if matches!(guess.await.unwrap(), Err(Error::WrongCredentials)) {
            looked_at += 1;
        }
    }
    assert_eq!(looked_at, 10, "guesses in parallel count as well");
    assert!(matches!(guess("198.51.100.9", PASSWORD).await, Err(Error::TooManyAttempts { .. })));
    assert!(guess("203.0.113.7", PASSWORD).await.is_ok(), "Ana herself is not kept out");
    app.advance(TimeDelta::minutes(15));
    assert!(guess("198.51.100.9", PASSWORD).await.is_ok(), "not for good");
}

async fn strangers_cannot_lock_out_a_signed_out_person(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    app.person(&tenant, "Ana", Role::TenantAdmin).await;
    let attempt = |address: String, password: &'static str| {
        let credentials =
            Credentials { organization: None, email: "ana@acme.test".to_owned(), password: password.to_owned().into() };
        let keyring = app.keyring.clone();
        async move { keyring.sign_in(credentials, None, &client(&address)).await }
    };
    let token = attempt("2001:db8::1".to_owned(), PASSWORD).await.unwrap();
    app.keyring.sign_out(&token, home()).await.unwrap();
    for number in 0..50 {
        let guess = attempt(format!("198.51.100.{number}"), "a wrong guess").await;
        assert!(matches!(guess, Err(Error::WrongCredentials)));
    }
    let stranger = attempt("198.51.100.200".to_owned(), PASSWORD).await;
    assert!(matches!(stranger, Err(Error::TooManyAttempts { .. })), "from all over the world it is too much");
    attempt("2001:db8::2".to_owned(), PASSWORD).await.expect("her own network is known");
}

async fn member_is_not_an_admin(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    app.person(&tenant, "Mia", Role::Member).await;
    let token = app.sign_in("mia@acme.test", PASSWORD).await.unwrap();
    let signed_in = app.keyring.signed_in(&token, home()).await.unwrap().unwrap();
    assert!(matches!(signed_in.as_admin(), Err(Error::NotAnAdmin)));
}

const SHARED: &str = "ana@shared.test";
const OTHER_PASSWORD: &str = "a battery of staples";

/// Gives a tenant a person with the shared address.
async fn shared_person(app: &TestKeyring, tenant: &TenantAdmin, password: &str) {
    let new = NewPerson { email: SHARED.to_owned(), name: "Ana".to_owned(), password: password.to_owned().into() };
    app.keyring.create_person(Some(tenant), Role::TenantAdmin, new).await.unwrap();
}

async fn two_tenants_with_one_address(app: &TestKeyring) -> [TenantAdmin; 2] {
    let tenants = [app.tenant("acme").await, app.tenant("other").await];
    shared_person(app, &tenants[0], PASSWORD).await;
    shared_person(app, &tenants[1], OTHER_PASSWORD).await;
    tenants
}

/// Signs in with the shared address, and returns the slug of the tenant that the session is for.
async fn sign_in_to(app: &TestKeyring, organization: Option<&str>, password: &str) -> Result<Option<String>, Error> {
    let organization = organization.map(str::to_owned);
    let credentials = Credentials { organization, email: SHARED.to_owned(), password: password.to_owned().into() };
    let token = app.keyring.sign_in(credentials, None, &client("203.0.113.7")).await?;
    Ok(app.whose(&token).await.tenant.map(|tenant| tenant.slug))
}

async fn organization_tells_people_with_one_address_apart(app: TestKeyring) {
    let tenants = two_tenants_with_one_address(&app).await;
    assert_eq!(sign_in_to(&app, Some("acme"), PASSWORD).await.unwrap().as_deref(), Some("acme"));
    assert_eq!(sign_in_to(&app, Some(" OTHER "), OTHER_PASSWORD).await.unwrap().as_deref(), Some("other"));
    for (organization, password) in [("acme", OTHER_PASSWORD), ("other", PASSWORD), ("third", PASSWORD)] {
        let refused = sign_in_to(&app, Some(organization), password).await;
        assert!(matches!(refused, Err(Error::WrongCredentials)), "{organization}: {refused:?}");
    }
    let twice = NewPerson { email: SHARED.to_owned(), name: "Ben".to_owned(), password: PASSWORD.to_owned().into() };
    let twice = app.keyring.create_person(Some(&tenants[0]), Role::Member, twice).await;
    assert!(matches!(twice, Err(Error::Invalid(_))), "within a tenant an address is unique: {twice:?}");
}

async fn ambiguous_address_is_refused_like_a_wrong_password(app: TestKeyring) {
    two_tenants_with_one_address(&app).await;
    for password in [PASSWORD, OTHER_PASSWORD, "a wrong password"] {
        let refused = sign_in_to(&app, None, password).await;
        assert!(matches!(refused, Err(Error::WrongCredentials)), "{refused:?}");
    }
    for _ in 0..7 {
        assert!(matches!(sign_in_to(&app, None, PASSWORD).await, Err(Error::WrongCredentials)));
    }
    let throttled = sign_in_to(&app, None, PASSWORD).await;
    assert!(matches!(throttled, Err(Error::TooManyAttempts { .. })), "ambiguous attempts count: {throttled:?}");
}

async fn super_user_comes_first_without_an_organization(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    shared_person(&app, &tenant, PASSWORD).await;
    let root =
        NewPerson { email: SHARED.to_owned(), name: "Root".to_owned(), password: OTHER_PASSWORD.to_owned().into() };
    app.keyring.ensure_super_user(root).await.unwrap();
    assert_eq!(sign_in_to(&app, None, OTHER_PASSWORD).await.unwrap(), None, "no tenant can lock a super user out");
    assert_eq!(sign_in_to(&app, Some("acme"), PASSWORD).await.unwrap().as_deref(), Some("acme"));
    assert!(matches!(sign_in_to(&app, None, PASSWORD).await, Err(Error::WrongCredentials)));
}

async fn deactivated_namesake_does_not_make_an_address_ambiguous(app: TestKeyring) {
    let tenants = two_tenants_with_one_address(&app).await;
    let people = app.keyring.people(Some(&tenants[1])).await.unwrap();
    app.person(&tenants[1], "Ben", Role::TenantAdmin).await;
    app.keyring.deactivate(&tenants[1], &people[0].person.id).await.unwrap();
    assert_eq!(sign_in_to(&app, None, PASSWORD).await.unwrap().as_deref(), Some("acme"));
}

async fn operator_names_the_tenant_of_an_ambiguous_address(app: TestKeyring) {
    two_tenants_with_one_address(&app).await;
    let set = async |scope, password: &str| app.keyring.set_password(SHARED, scope, password.to_owned().into()).await;
    match set(PersonScope::Everyone, "quite another password").await {
        Err(error @ Error::AmbiguousEmail { .. }) => assert!(error.to_string().contains("(acme, other)"), "{error}"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(set(PersonScope::SuperUsers, "quite another password").await, Err(Error::NotFound(_))));
    set(PersonScope::Tenant("other"), "quite another password").await.unwrap();
    assert!(sign_in_to(&app, Some("acme"), PASSWORD).await.is_ok());
    assert!(sign_in_to(&app, Some("other"), "quite another password").await.is_ok());
}
