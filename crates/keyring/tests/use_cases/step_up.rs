//! Step-up: the actions that need it and the ways to confirm an identity.

use chrono::TimeDelta;
use domain::{
    id::PersonId,
    person::{PersonState, Role},
};
use futures::future::{BoxFuture, FutureExt};
use keyring::{
    Error, Keyring, NewInvitation, NewPerson, NewProperty, NewRole, STEP_UP_MAX_AGE, SessionToken, SuperUserMfa,
    TenantAdmin,
};

use super::fixture::{PASSWORD, TestKeyring, codes, home};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    fresh_session_needs_no_confirmation,
    old_session_needs_confirmation,
    confirmed_identity_is_enough_for_ten_minutes,
    other_changes_need_no_confirmation,
    wrong_password_or_code_confirms_nothing,
    one_session_is_confirmed_and_no_other,
    operator_needs_no_confirmation,
    super_user_must_have_a_second_factor,
    super_user_without_a_second_factor_leaves_a_tenant,
    rotation_of_the_secret_key_withdraws_offers,
}

const ANA: &str = "ana@acme.test";
const ROOT: &str = "root@latchkey.test";

/// The session of an admin, and a member with a second factor.
struct Setup {
    ana: SessionToken,
    mia: PersonId,
}

async fn set_up(app: &TestKeyring) -> Setup {
    let tenant = app.tenant("acme").await;
    for (name, role) in [("Ana", Role::TenantAdmin), ("Mia", Role::Member)] {
        app.person(&tenant, name, role).await;
    }
    let mia = app.at_the_console("mia@acme.test").await;
    app.with_second_factor(&mia).await;
    Setup { ana: app.sign_in(ANA, PASSWORD).await.unwrap(), mia: mia.person.id }
}

type Changes<'a> = Vec<(&'static str, BoxFuture<'a, Result<(), Error>>)>;

fn role(role: Role) -> NewRole {
    NewRole { role: role.as_str().to_owned(), groups: Vec::new() }
}

fn invitation(email: &str, as_role: Role) -> NewInvitation {
    NewInvitation { email: email.to_owned(), name: "Zoe".to_owned(), role: role(as_role) }
}

/// Everything about other people that takes a confirmed identity.
fn protected<'a>(keyring: &'a Keyring, admin: &'a TenantAdmin, mia: &'a PersonId) -> Changes<'a> {
    vec![
        (
            "changing a role",
            async move { keyring.set_role(admin, mia, &role(Role::TenantAdmin)).await.map(drop) }.boxed(),
        ),
        ("making a password link", keyring.make_password_link(admin, mia).map(|made| made.map(drop)).boxed()),
        ("resetting a second factor", keyring.reset_second_factor(admin, mia).boxed()),
        (
            "inviting an admin",
            async move {
                keyring.invite_person(admin, &invitation("zoe@acme.test", Role::TenantAdmin)).await.map(drop)
            }
            .boxed(),
        ),
    ]
}

async fn admin(app: &TestKeyring, token: &SessionToken) -> TenantAdmin {
    app.whose(token).await.as_admin().unwrap()
}

fn needs_step_up<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::StepUpRequired { .. }))
}

async fn fresh_session_needs_no_confirmation(app: TestKeyring) {
    let setup = set_up(&app).await;
    app.advance(STEP_UP_MAX_AGE);
    for (what, change) in protected(&app.keyring, &admin(&app, &setup.ana).await, &setup.mia) {
        change.await.unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    assert!(app.keyring.offer_second_factor(&app.whose(&setup.ana).await).await.is_ok());
}

async fn old_session_needs_confirmation(app: TestKeyring) {
    let setup = set_up(&app).await;
    let ana = app.whose(&setup.ana).await;
    let as_admin = ana.as_admin().unwrap();
    let authenticator = app.keyring.offer_second_factor(&ana).await;
    assert!(authenticator.is_ok());
    app.advance(STEP_UP_MAX_AGE + TimeDelta::milliseconds(1));
    for (what, change) in protected(&app.keyring, &as_admin, &setup.mia) {
        let outcome = change.await;
        assert!(matches!(outcome, Err(Error::StepUpRequired { needs_code: false })), "{what}: {outcome:?}");
    }
    assert!(needs_step_up(&app.keyring.offer_second_factor(&ana).await));
    assert!(needs_step_up(&app.keyring.turn_on_second_factor(&ana, "123456").await));
    let people = app.keyring.people(Some(&as_admin)).await.unwrap();
    let mia = people.iter().find(|profile| profile.person.id == setup.mia).unwrap();
    assert_eq!((mia.person.role, mia.has_second_factor, people.len()), (Role::Member, true, 2), "nothing was changed");

    let mia = app.whose(&sign_in_mia(&app).await).await;
    app.advance(STEP_UP_MAX_AGE + TimeDelta::milliseconds(1));
    for outcome in
        [app.keyring.turn_off_second_factor(&mia).await, app.keyring.renew_recovery_codes(&mia).await.map(drop)]
    {
        assert!(matches!(outcome, Err(Error::StepUpRequired { needs_code: true })), "{outcome:?}");
    }
}

/// Signs Mia in with a recovery code, which her own session makes.
async fn sign_in_mia(app: &TestKeyring) -> SessionToken {
    let tenant = app.keyring.operator_for("acme").await.unwrap();
    let people = app.keyring.people(Some(&tenant)).await.unwrap();
    let mia = people.iter().find(|profile| profile.person.name == "Mia").unwrap();
    app.keyring.reset_second_factor(&tenant, &mia.person.id).await.unwrap();
    let token = app.sign_in("mia@acme.test", PASSWORD).await.unwrap();
    app.with_second_factor(&app.whose(&token).await).await;
    token
}

async fn confirmed_identity_is_enough_for_ten_minutes(app: TestKeyring) {
    let setup = set_up(&app).await;
    app.advance(TimeDelta::hours(1));
    app.confirm(&app.whose(&setup.ana).await, "").await.unwrap();
    app.advance(STEP_UP_MAX_AGE);
    let as_admin = admin(&app, &setup.ana).await;
    app.keyring.set_role(&as_admin, &setup.mia, &role(Role::TenantAdmin)).await.unwrap();
    app.advance(TimeDelta::milliseconds(1));
    assert!(needs_step_up(&app.keyring.set_role(&as_admin, &setup.mia, &role(Role::Member)).await));
}

async fn other_changes_need_no_confirmation(app: TestKeyring) {
    let setup = set_up(&app).await;
    app.advance(TimeDelta::hours(1));
    let (keyring, as_admin) = (&app.keyring, admin(&app, &setup.ana).await);
    keyring.create_property(&as_admin, NewProperty { name: "Mill".to_owned() }).await.unwrap();
    keyring.invite_person(&as_admin, &invitation("zoe@acme.test", Role::Member)).await.unwrap();
    keyring.end_sessions_of(&as_admin, &setup.mia).await.unwrap();
    keyring.deactivate(&as_admin, &setup.mia).await.unwrap();
    let people = keyring.people(Some(&as_admin)).await.unwrap();
    assert!(people.iter().any(|profile| profile.person.id == setup.mia && profile.state == PersonState::Deactivated));
}

async fn wrong_password_or_code_confirms_nothing(app: TestKeyring) {
    set_up(&app).await;
    let token = sign_in_mia(&app).await;
    app.advance(TimeDelta::hours(1));
    let mia = app.whose(&token).await;
    let wrong = app.keyring.confirm_identity(&mia, &"a wrong password".into(), "123456").await;
    assert_eq!(codes(wrong), [("password", "wrong".to_owned())]);
    assert_eq!(codes(app.confirm(&mia, " ").await), [("code", "required".to_owned())]);
    assert_eq!(codes(app.confirm(&mia, "not a code").await), [("code", "wrong".to_owned())]);
    assert!(needs_step_up(&app.keyring.turn_off_second_factor(&mia).await));
    for _ in 0..9 {
        assert!(app.keyring.confirm_identity(&mia, &"a wrong password".into(), "").await.is_err());
    }
    let throttled = app.confirm(&mia, "123456").await;
    assert!(matches!(throttled, Err(Error::TooManyAttempts { .. })), "guesses are counted: {throttled:?}");
}

async fn one_session_is_confirmed_and_no_other(app: TestKeyring) {
    let setup = set_up(&app).await;
    let other = app.sign_in(ANA, PASSWORD).await.unwrap();
    app.advance(TimeDelta::hours(1));
    app.confirm(&app.whose(&setup.ana).await, "").await.unwrap();
    let refused = app.keyring.make_password_link(&admin(&app, &other).await, &setup.mia).await;
    assert!(needs_step_up(&refused), "the other session was not confirmed");
    app.keyring.make_password_link(&admin(&app, &setup.ana).await, &setup.mia).await.unwrap();
}

async fn operator_needs_no_confirmation(app: TestKeyring) {
    let setup = set_up(&app).await;
    app.advance(TimeDelta::hours(1));
    let operator = app.keyring.operator_for("acme").await.unwrap();
    for (what, change) in protected(&app.keyring, &operator, &setup.mia) {
        change.await.unwrap_or_else(|error| panic!("{what}: {error}"));
    }
}

/// A super user of an installation that requires a second factor of them.
async fn strict_root(app: &TestKeyring) -> (Keyring, SessionToken) {
    let keyring = app.keyring.clone().with_super_user_mfa(SuperUserMfa::Required);
    let root = NewPerson { email: ROOT.to_owned(), name: "Root".to_owned(), password: PASSWORD.to_owned().into() };
    keyring.ensure_super_user(root).await.unwrap();
    (keyring, app.sign_in(ROOT, PASSWORD).await.unwrap())
}

async fn super_user_must_have_a_second_factor(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let (keyring, token) = strict_root(&app).await;
    let root = keyring.signed_in(&token, home()).await.unwrap().unwrap();
    assert!(root.requires_mfa_enrollment());
    for refused in [root.as_super_user().err(), keyring.enter_tenant(&root, &tenant.tenant().id).await.err()] {
        let refused = refused.expect("super users need a second factor");
        assert!(matches!(refused, Error::MfaEnrollmentRequired { by_installation: true }), "{refused:?}");
        assert!(refused.to_string().starts_with("Super users of this installation need a second factor."), "{refused}");
    }
    app.with_second_factor(&root).await;
    let root = keyring.signed_in(&token, home()).await.unwrap().unwrap();
    keyring.enter_tenant(&root, &tenant.tenant().id).await.unwrap();
    let root = keyring.signed_in(&token, home()).await.unwrap().unwrap();
    root.as_admin().unwrap();
    let off = keyring.turn_off_second_factor(&root).await;
    assert!(matches!(off, Err(Error::Refused(_))), "it stays on: {off:?}");
    assert!(app.whose(&token).await.as_super_user().is_ok());
}

async fn super_user_without_a_second_factor_leaves_a_tenant(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let (keyring, token) = strict_root(&app).await;
    app.keyring.enter_tenant(&app.whose(&token).await, &tenant.tenant().id).await.unwrap();
    let inside = keyring.signed_in(&token, home()).await.unwrap().unwrap();
    assert!(matches!(inside.as_admin(), Err(Error::MfaEnrollmentRequired { by_installation: true })));
    keyring.leave_tenant(&inside).await.unwrap();
    keyring.sign_out(&token, home()).await.unwrap();
    assert!(keyring.signed_in(&token, home()).await.unwrap().is_none());
}

async fn rotation_of_the_secret_key_withdraws_offers(app: TestKeyring) {
    let setup = set_up(&app).await;
    let ana = app.whose(&setup.ana).await;
    app.keyring.offer_second_factor(&ana).await.unwrap();
    let rotated = super::secret_keys::rotate(&app).await;
    assert!(
        app.texts("SELECT offered_totp_secret FROM session WHERE offered_totp_secret IS NOT NULL").await.is_empty()
    );
    rotated.offer_second_factor(&ana).await.unwrap();
}
