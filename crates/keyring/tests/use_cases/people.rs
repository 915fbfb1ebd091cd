use chrono::TimeDelta;
use domain::{
    expiration::ExpirationDraft,
    group::GroupType,
    id::{GroupId, Id, PersonId},
    key_draft::KeyDraft,
    permission::Permission,
    person::{PersonState, Role},
};
use keyring::{
    AccessQuery, ActiveSession, Credential, Credentials, Error, Invitation, NewGroup, NewInvitation, NewKey, NewRole,
    NewSecret, Reason, Refusal, Requirement, SessionToken, TenantAdmin, Thing,
};
use secrecy::SecretString;
use tokio::sync::Notify;

use super::fixture::{PASSWORD, TestKeyring, client, home};

mod invitations;
mod timing_side_channel;

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    people_are_listed_with_all_details,
    role_change_applies_from_the_next_request_and_call,
    change_without_effect_is_not_audited,
    last_admin_cannot_be_demoted_or_deactivated,
    invited_admin_does_not_count_as_the_last_admin,
    two_admins_who_demote_each_other_leave_one,
    deactivated_person_can_do_nothing_until_reactivated,
    key_of_a_deactivated_owner_is_rejected,
    admin_ends_sessions_of_a_person,
    another_admin_resets_a_second_factor,
    mfa_can_be_required_of_all_people,
    foreign_person_is_not_found,
    admin_contacts_are_those_who_can_help,
}

async fn id_of(app: &TestKeyring, tenant: &TenantAdmin, name: &str) -> PersonId {
    let people = app.keyring.people(Some(tenant)).await.unwrap();
    people.into_iter().find(|profile| profile.person.name == name).unwrap().person.id
}

async fn member(app: &TestKeyring, tenant: &TenantAdmin, name: &str) -> PersonId {
    app.person(tenant, name, Role::Member).await;
    id_of(app, tenant, name).await
}

async fn group(
    app: &TestKeyring,
    tenant: &TenantAdmin,
    name: &str,
    group_type: GroupType,
    permission: &str,
) -> GroupId {
    let new = NewGroup { name: name.to_owned(), group_type, permissions: vec![permission.to_owned()] };
    app.keyring.create_group(tenant, new).await.unwrap().id
}

fn role(role: Role, groups: &[&GroupId]) -> NewRole {
    NewRole { role: role.as_str().to_owned(), groups: groups.iter().map(ToString::to_string).collect() }
}

fn invitation(name: &str, new_role: NewRole) -> NewInvitation {
    NewInvitation { email: format!("{}@acme.test", name.to_lowercase()), name: name.to_owned(), role: new_role }
}

async fn invite(app: &TestKeyring, admin: &TenantAdmin, name: &str, as_role: Role) -> Invitation {
    app.keyring.invite_person(admin, &invitation(name, role(as_role, &[]))).await.unwrap()
}

async fn accept(app: &TestKeyring, token: &SecretString) -> Result<(), Error> {
    app.keyring.accept_invitation(token, PASSWORD.to_owned().into(), home()).await.map(drop)
}

async fn signed_in(app: &TestKeyring, token: &SessionToken) -> Option<ActiveSession> {
    app.keyring.signed_in(token, home()).await.unwrap()
}

async fn people_are_listed_with_all_details(app: TestKeyring) {
    let (tenant, other) = (app.tenant("acme").await, app.tenant("other").await);
    app.person(&other, "Eve", Role::TenantAdmin).await;
    app.admin(&tenant, "Ana").await;
    let mia = member(&app, &tenant, "Mia").await;
    let (first, second) = (
        group(&app, &tenant, "Night shift", GroupType::Person, "services:read").await,
        group(&app, &tenant, "Front desk", GroupType::Person, "reservations:*").await,
    );
    app.keyring.set_role(&tenant, &mia, &role(Role::Member, &[&first, &second])).await.unwrap();
    invite(&app, &tenant, "Zoe", Role::TenantAdmin).await;
    let people = app.keyring.people(Some(&tenant)).await.unwrap();
    let shown: Vec<_> = people
        .iter()
        .map(|profile| (profile.person.name.as_str(), profile.person.role, profile.state, profile.last_seen_at))
        .collect();
    assert_eq!(
        shown,
        [
            ("Ana", Role::TenantAdmin, PersonState::Active, Some(app.now())),
            ("Mia", Role::Member, PersonState::Active, None),
            ("Zoe", Role::TenantAdmin, PersonState::Invited, None),
        ]
    );
    let groups: Vec<&str> = people[1].groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(groups, ["Front desk", "Night shift"]);
    assert_eq!(app.keyring.person(&tenant, &mia).await.unwrap(), people[1]);
}

/// Mia, a member with a personal key, and what she is signed in with.
async fn mia_with_a_key(app: &TestKeyring, tenant: &TenantAdmin) -> (PersonId, SessionToken, NewSecret) {
    let mia = member(app, tenant, "Mia").await;
    let token = app.sign_in("mia@acme.test", PASSWORD).await.unwrap();
    let holder = signed_in(app, &token).await.unwrap().as_key_holder().unwrap();
    let draft = KeyDraft { name: "Mine".to_owned(), read: true, write: true, ..KeyDraft::default() };
    let key = NewKey { draft, expiration: ExpirationDraft::Never };
    let made = app.keyring.generate_key(&holder, &key).await.unwrap();
    (mia, token, made)
}

async fn decided(app: &TestKeyring, key: &NewSecret, permission: &str) -> Result<(), Refusal> {
    let permission = Permission::parse(permission).unwrap();
    let query = AccessQuery {
        address: Some(home()),
        nearest: home(),
        origin: None,
        requirement: Requirement { permission: Some(&permission), property: None, cost: 1, tenant: None },
    };
    app.keyring.evaluate(&Credential::Secret(key.secret.clone()), &query).await.unwrap().outcome.map(drop)
}

async fn role_change_applies_from_the_next_request_and_call(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    app.admin(&tenant, "Ana").await;
    let readers = group(&app, &tenant, "Readers", GroupType::Person, "reservations:read").await;
    let (mia, token, key) = mia_with_a_key(&app, &tenant).await;
    for (new, reads, writes, administers) in [
        (role(Role::Member, &[]), false, false, false),
        (role(Role::Member, &[&readers]), true, false, false),
        (role(Role::TenantAdmin, &[]), true, true, true),
        (role(Role::Member, &[&readers]), true, false, false),
        (role(Role::Member, &[]), false, false, false),
    ] {
        app.keyring.set_role(&tenant, &mia, &new).await.unwrap();
        assert_eq!(decided(&app, &key, "reservations:read").await.is_ok(), reads, "reading as {new:?}");
        assert_eq!(decided(&app, &key, "reservations:write").await.is_ok(), writes, "writing as {new:?}");
        assert_eq!(signed_in(&app, &token).await.unwrap().as_admin().is_ok(), administers, "{new:?}");
    }
    assert_eq!(app.actions(&mia).await[..2], ["person.created", "session.opened"]);
    assert_eq!(app.actions(&mia).await[2..], ["person.role_changed"; 4]);
}

async fn change_without_effect_is_not_audited(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let (one, other) = (
        group(&app, &tenant, "beta", GroupType::Person, "a:read").await,
        group(&app, &tenant, "Alpha", GroupType::Person, "b:read").await,
    );
    let mia = member(&app, &tenant, "Mia").await;
    for groups in [[&one, &other], [&other, &one]] {
        app.keyring.set_role(&tenant, &mia, &role(Role::Member, &groups)).await.unwrap();
        app.keyring.reactivate(&tenant, &mia).await.unwrap();
        app.keyring.reset_second_factor(&tenant, &mia).await.unwrap();
        app.keyring.require_second_factor(&tenant, false).await.unwrap();
    }
    assert_eq!(app.actions(&mia).await, ["person.created", "person.role_changed"]);
    app.keyring.deactivate(&tenant, &mia).await.unwrap();
    app.keyring.deactivate(&tenant, &mia).await.unwrap();
    assert_eq!(app.actions(&mia).await[2..], ["person.switched_off"]);
}

async fn last_admin_cannot_be_demoted_or_deactivated(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    app.person(&tenant, "Ana", Role::TenantAdmin).await;
    let ana = id_of(&app, &tenant, "Ana").await;
    invite(&app, &tenant, "Zoe", Role::TenantAdmin).await;
    app.person(&tenant, "Ben", Role::TenantAdmin).await;
    app.keyring.deactivate(&tenant, &id_of(&app, &tenant, "Ben").await).await.unwrap();
    let profile = app.keyring.person(&tenant, &ana).await.unwrap();
    assert!(app.keyring.is_last_admin(&tenant, &profile).await.unwrap(), "the others cannot sign in");
    let member = role(Role::Member, &[]);
    for refused in
        [app.keyring.set_role(&tenant, &ana, &member).await.map(drop), app.keyring.deactivate(&tenant, &ana).await]
    {
        assert!(matches!(refused, Err(Error::Refused(reason)) if reason.contains("only admin")));
    }
    app.keyring.reactivate(&tenant, &id_of(&app, &tenant, "Ben").await).await.unwrap();
    assert!(!app.keyring.is_last_admin(&tenant, &profile).await.unwrap());
    app.keyring.deactivate(&tenant, &ana).await.unwrap();
}

async fn invited_admin_does_not_count_as_the_last_admin(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let zoe = invite(&app, &tenant, "Zoe", Role::TenantAdmin).await.person.id;
    let after = app.keyring.set_role(&tenant, &zoe, &role(Role::Member, &[])).await.unwrap();
    assert_eq!(after.person.role, Role::Member);
    app.keyring.deactivate(&tenant, &zoe).await.unwrap();
}

async fn two_admins_who_demote_each_other_leave_one(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let (ana, ben) = (app.admin(&tenant, "Ana").await, app.admin(&tenant, "Ben").await);
    let (id_of_ana, id_of_ben) = (id_of(&app, &tenant, "Ana").await, id_of(&app, &tenant, "Ben").await);
    let demotions: Vec<_> = [(ana, id_of_ben), (ben, id_of_ana)]
        .into_iter()
        .map(|(admin, other)| {
            let keyring = app.keyring.clone();
            tokio::spawn(async move { keyring.set_role(&admin, &other, &role(Role::Member, &[])).await })
        })
        .collect();
    let mut done = 0;
    for demotion in demotions {
        match demotion.await.unwrap() {
            Ok(_) => done += 1,
            Err(error) => assert!(matches!(error, Error::AccessChanged), "{error}"),
        }
    }
    assert_eq!(done, 1);
    let people = app.keyring.people(Some(&tenant)).await.unwrap();
    assert_eq!(people.iter().filter(|profile| profile.person.role == Role::TenantAdmin).count(), 1);
}

async fn deactivated_person_can_do_nothing_until_reactivated(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let ana = app.admin(&tenant, "Ana").await;
    let (mia, token, key) = mia_with_a_key(&app, &tenant).await;
    let everything = group(&app, &tenant, "Everything", GroupType::Person, "*").await;
    app.keyring.set_role(&tenant, &mia, &role(Role::Member, &[&everything])).await.unwrap();
    app.keyring.deactivate(&ana, &mia).await.unwrap();
    assert!(signed_in(&app, &token).await.is_none());
    assert!(app.sign_in("mia@acme.test", PASSWORD).await.is_err());
    let refused = decided(&app, &key, "reservations:read").await;
    assert_eq!(refused, Err(Refusal::Disabled(Reason::OwnerDeactivated)));
    assert_eq!(app.keyring.active_keys_of(&tenant, &mia).await.unwrap(), 1, "the key is still there");
    app.keyring.reactivate(&ana, &mia).await.unwrap();
    assert!(decided(&app, &key, "reservations:read").await.is_ok(), "with the groups and the key from before");
    assert!(signed_in(&app, &token).await.is_none(), "sessions do not come back");
    assert!(app.sign_in("mia@acme.test", PASSWORD).await.is_ok());
    let own = app.keyring.deactivate(&ana, &id_of(&app, &tenant, "Ana").await).await;
    assert!(matches!(own, Err(Error::Refused(reason)) if reason.contains("another admin")));
}

async fn key_of_a_deactivated_owner_is_rejected(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let (mia, _, key) = mia_with_a_key(&app, &tenant).await;
    let everything = group(&app, &tenant, "Everything", GroupType::Person, "*").await;
    app.keyring.set_role(&tenant, &mia, &role(Role::Member, &[&everything])).await.unwrap();
    let in_use = Notify::new();
    let calls = async {
        // Repeats until the first refusal.
        for answered in 0.. {
            if let Err(refusal) = decided(&app, &key, "reservations:read").await {
                return (answered, refusal);
            }
            in_use.notify_one();
            app.advance(TimeDelta::seconds(2));
            // Answers from the cache never yield, so other tasks would not get a turn.
            tokio::task::yield_now().await;
        }
        unreachable!("switching off ends the calls")
    };
    let switching = async {
        in_use.notified().await;
        app.keyring.deactivate(&tenant, &mia).await.unwrap();
        decided(&app, &key, "reservations:read").await
    };
    let ((answered, refusal), afterwards) = tokio::join!(calls, switching);
    assert!(answered > 0, "the key was in use");
    assert_eq!(refusal, Refusal::Disabled(Reason::OwnerDeactivated));
    assert_eq!(afterwards, Err(Refusal::Disabled(Reason::OwnerDeactivated)), "the first call after it returned");
}

async fn admin_ends_sessions_of_a_person(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let mia = member(&app, &tenant, "Mia").await;
    let mut tokens = Vec::new();
    for address in ["203.0.113.7", "2001:db8::1"] {
        let credentials =
            Credentials { organization: None, email: "mia@acme.test".to_owned(), password: PASSWORD.to_owned().into() };
        tokens.push(app.keyring.sign_in(credentials, None, &client(address)).await.unwrap());
        app.advance(TimeDelta::minutes(5));
    }
    let sessions = app.keyring.sessions_of(&tenant, &mia).await.unwrap();
    let addresses: Vec<&str> = sessions.iter().map(|session| session.address.as_str()).collect();
    assert_eq!(addresses, ["2001:db8::1", "203.0.113.7"], "the latest first");
    assert_eq!(app.keyring.end_sessions_of(&tenant, &mia).await.unwrap(), 2);
    for token in &tokens {
        assert!(signed_in(&app, token).await.is_none());
    }
    assert_eq!(app.keyring.sessions_of(&tenant, &mia).await.unwrap(), []);
    assert!(app.sign_in("mia@acme.test", PASSWORD).await.is_ok());
    assert_eq!(app.actions(&mia).await[3..], ["session.all_ended", "session.opened"]);
}

/// Gives a person a second factor, as if they had set it up.
async fn give_second_factor(app: &TestKeyring, person: &PersonId) {
    use sea_orm::ConnectionTrait;
    let sql = format!("UPDATE person SET totp_secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP' WHERE id = '{person}'");
    app.connection().await.execute_unprepared(&sql).await.unwrap();
}

async fn another_admin_resets_a_second_factor(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let ana = app.admin(&tenant, "Ana").await;
    let mia = member(&app, &tenant, "Mia").await;
    let id_of_ana = id_of(&app, &tenant, "Ana").await;
    for person in [&mia, &id_of_ana] {
        give_second_factor(&app, person).await;
    }
    assert!(matches!(app.sign_in("mia@acme.test", PASSWORD).await, Err(Error::CodeNeeded)));
    let made = app.keyring.make_password_link(&ana, &mia).await.unwrap();
    assert!(app.keyring.invited(&made.token).await.unwrap().has_second_factor);
    accept(&app, &made.token).await.unwrap();
    assert!(matches!(app.sign_in("mia@acme.test", PASSWORD).await, Err(Error::CodeNeeded)), "a link is no way past it");
    app.keyring.reset_second_factor(&ana, &mia).await.unwrap();
    assert!(!app.keyring.person(&tenant, &mia).await.unwrap().has_second_factor);
    assert!(app.sign_in("mia@acme.test", PASSWORD).await.is_ok());
    assert!(app.actions(&mia).await.contains(&"second_factor.reset".to_owned()));
    let own = app.keyring.reset_second_factor(&ana, &id_of_ana).await;
    assert!(matches!(own, Err(Error::Refused(_))), "one's own takes a code");
}

async fn mfa_can_be_required_of_all_people(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    app.person(&tenant, "Ana", Role::TenantAdmin).await;
    let token = app.sign_in("ana@acme.test", PASSWORD).await.unwrap();
    let ana = signed_in(&app, &token).await.unwrap().as_admin().unwrap();
    app.keyring.require_second_factor(&ana, true).await.unwrap();
    let now = signed_in(&app, &token).await.unwrap();
    assert!(now.requires_mfa_enrollment());
    assert!(matches!(now.as_admin(), Err(Error::MfaEnrollmentRequired { .. })));
    assert!(matches!(now.as_key_holder(), Err(Error::MfaEnrollmentRequired { .. })));
    give_second_factor(&app, &now.person.id).await;
    let ana = signed_in(&app, &token).await.unwrap().as_admin().expect("with one, she is as free as before");
    app.keyring.require_second_factor(&ana, false).await.unwrap();
    assert_eq!(app.actions(&tenant.tenant().id).await, ["tenant.created", "tenant.changed", "tenant.changed"]);
}

async fn foreign_person_is_not_found(app: TestKeyring) {
    let (tenant, other) = (app.tenant("acme").await, app.tenant("other").await);
    let mia = member(&app, &tenant, "Mia").await;
    let missing = PersonId::parse("per_01JCQ4Y2V9ZK3T5N6R7S8W9XAB").unwrap();
    for id in [&mia, &missing] {
        let member = role(Role::Member, &[]);
        for outcome in [
            app.keyring.person(&other, id).await.map(drop),
            app.keyring.sessions_of(&other, id).await.map(drop),
            app.keyring.set_role(&other, id, &member).await.map(drop),
            app.keyring.deactivate(&other, id).await,
            app.keyring.reactivate(&other, id).await,
            app.keyring.end_sessions_of(&other, id).await.map(drop),
            app.keyring.make_password_link(&other, id).await.map(drop),
            app.keyring.reset_second_factor(&other, id).await,
        ] {
            assert!(matches!(outcome, Err(Error::NotFound(Thing::Person))));
        }
        assert_eq!(app.keyring.active_keys_of(&other, id).await.unwrap(), 0);
    }
}

async fn admin_contacts_are_those_who_can_help(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    for (name, role) in [("Ben", Role::TenantAdmin), ("Ana", Role::TenantAdmin), ("Mia", Role::Member)] {
        app.person(&tenant, name, role).await;
    }
    app.person(&tenant, "Gone", Role::TenantAdmin).await;
    app.keyring.deactivate(&tenant, &id_of(&app, &tenant, "Gone").await).await.unwrap();
    invite(&app, &tenant, "Zoe", Role::TenantAdmin).await;
    let token = app.sign_in("mia@acme.test", PASSWORD).await.unwrap();
    let to_ask = app.keyring.admin_contacts(&signed_in(&app, &token).await.unwrap()).await.unwrap();
    let names: Vec<&str> = to_ask.iter().map(|person| person.name.as_str()).collect();
    assert_eq!(names, ["Ana", "Ben"]);
}
