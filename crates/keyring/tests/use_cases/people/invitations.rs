//! Links by which people set their own password.

use chrono::TimeDelta;
use domain::{
    group::GroupType,
    person::{PersonState, Role},
};
use keyring::{Error, NewInvitation, NewRole, PersonScope, Thing};
use secrecy::{ExposeSecret, SecretString};

use super::{
    super::fixture::{PASSWORD, TestKeyring, codes, home},
    accept, group, id_of, invitation, invite, member, role, signed_in,
};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    invited_person_sets_a_password_and_signs_in,
    all_invalid_fields_of_an_invitation_are_reported_together,
    only_groups_for_people_of_the_same_tenant_can_be_given,
    only_the_hash_of_a_link_is_stored,
    link_is_valid_for_seven_days,
    newer_link_invalidates_the_previous_one,
    password_set_by_other_means_invalidates_the_link,
    link_used_twice_concurrently_works_once,
    link_ends_earlier_sessions,
    deactivated_person_gets_no_link,
}

async fn invited_person_sets_a_password_and_signs_in(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let ana = app.admin(&tenant, "Ana").await;
    let desk = group(&app, &tenant, "Front desk", GroupType::Person, "reservations:*").await;
    let new =
        NewInvitation { email: " Mia@Acme.test ".to_owned(), ..invitation(" Mia ", role(Role::Member, &[&desk])) };
    let made = app.keyring.invite_person(&ana, &new).await.unwrap();
    assert_eq!((made.person.name.as_str(), made.person.email.as_str()), ("Mia", "mia@acme.test"));
    assert_eq!(made.expires_at, app.now() + TimeDelta::days(7));
    let profile = app.keyring.person(&tenant, &made.person.id).await.unwrap();
    assert_eq!((profile.state, profile.person.role), (PersonState::Invited, Role::Member));
    assert_eq!(profile.groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["Front desk"]);

    let invited = app.keyring.invited(&made.token).await.unwrap();
    assert_eq!((invited.name.as_str(), invited.email.as_str()), ("Mia", "mia@acme.test"));
    assert_eq!((invited.tenant.unwrap().name.as_str(), invited.is_new), ("ACME", true));
    let short = app.keyring.accept_invitation(&made.token, "hunter2".to_owned().into(), home()).await;
    assert_eq!(codes(short), [("password", "too_short".to_owned())]);
    accept(&app, &made.token).await.expect("a refused password does not use the link up");
    assert!(app.sign_in("mia@acme.test", PASSWORD).await.is_ok());
    let profile = app.keyring.person(&tenant, &made.person.id).await.unwrap();
    assert_eq!((profile.state, profile.last_seen_at), (PersonState::Active, Some(app.now())));
    assert!(matches!(accept(&app, &made.token).await, Err(Error::Refused(_))), "a link is good once");
    assert!(matches!(app.keyring.invited(&made.token).await, Err(Error::NotFound(Thing::Invitation))));
    assert_eq!(app.actions(&made.person.id).await, ["person.invited", "person.joined", "session.opened"]);
    assert_eq!(
        app.texts("SELECT subject_name || ' by ' || actor_name FROM audit_event WHERE action = 'person.invited'").await,
        ["Mia by Ana"]
    );
}

async fn all_invalid_fields_of_an_invitation_are_reported_together(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let wrong = NewInvitation {
        email: "mia".to_owned(),
        name: "M".to_owned(),
        role: NewRole { role: "super_user".to_owned(), groups: vec!["grp_nothing".to_owned()] },
    };
    let fields: Vec<&str> =
        codes(app.keyring.invite_person(&tenant, &wrong).await).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["email", "name", "role", "groups"]);
    app.person(&tenant, "Mia", Role::Member).await;
    let taken = app.keyring.invite_person(&tenant, &invitation("Mia", role(Role::Member, &[]))).await;
    assert_eq!(codes(taken), [("email", "taken".to_owned())]);
    assert_eq!(app.keyring.people(Some(&tenant)).await.unwrap().len(), 1);
}

async fn only_groups_for_people_of_the_same_tenant_can_be_given(app: TestKeyring) {
    let (tenant, other) = (app.tenant("acme").await, app.tenant("other").await);
    let for_keys = group(&app, &tenant, "For keys", GroupType::TenantApiKey, "*").await;
    let foreign = group(&app, &other, "Foreign", GroupType::Person, "*").await;
    let mia = member(&app, &tenant, "Mia").await;
    for wrong in [&for_keys, &foreign] {
        let picked = role(Role::Member, &[wrong]);
        let refused = app.keyring.set_role(&tenant, &mia, &picked).await;
        assert_eq!(codes(refused), [("groups", "not_found".to_owned())]);
        let refused = app.keyring.invite_person(&tenant, &invitation("Ben", picked)).await;
        assert_eq!(codes(refused), [("groups", "not_found".to_owned())]);
    }
}

async fn only_the_hash_of_a_link_is_stored(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let made = invite(&app, &tenant, "Mia", Role::Member).await;
    let stored = app.texts("SELECT token_sha256 FROM invitation").await;
    assert_eq!(stored.len(), 1);
    assert_ne!(stored[0], made.token.expose_secret());
    assert!(app.keyring.invited(&stored[0].clone().into()).await.is_err(), "what is stored opens nothing");
    let told = app.texts("SELECT detail FROM audit_event").await;
    assert!(told.iter().all(|detail| !detail.contains(made.token.expose_secret())));
}

async fn link_is_valid_for_seven_days(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let made = invite(&app, &tenant, "Mia", Role::Member).await;
    app.advance(TimeDelta::days(7) - TimeDelta::milliseconds(1));
    assert!(app.keyring.invited(&made.token).await.is_ok());
    app.advance(TimeDelta::milliseconds(1));
    assert!(matches!(app.keyring.invited(&made.token).await, Err(Error::NotFound(Thing::Invitation))));
    assert!(matches!(accept(&app, &made.token).await, Err(Error::Refused(_))));
}

async fn newer_link_invalidates_the_previous_one(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let first = invite(&app, &tenant, "Mia", Role::Member).await;
    let second = app.keyring.make_password_link(&tenant, &first.person.id).await.unwrap();
    assert!(accept(&app, &first.token).await.is_err());
    assert!(app.keyring.invited(&second.token).await.unwrap().is_new);
    accept(&app, &second.token).await.unwrap();
    let third = app.keyring.make_password_link(&tenant, &first.person.id).await.unwrap();
    assert!(!app.keyring.invited(&third.token).await.unwrap().is_new, "a forgotten password");
}

async fn password_set_by_other_means_invalidates_the_link(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let mia = member(&app, &tenant, "Mia").await;
    for by_themselves in [true, false] {
        let made = app.keyring.make_password_link(&tenant, &mia).await.unwrap();
        if by_themselves {
            let token = app.sign_in("mia@acme.test", PASSWORD).await.unwrap();
            let signed_in = signed_in(&app, &token).await.unwrap();
            let [old, new] = [PASSWORD, "another long password"].map(|text| SecretString::from(text.to_owned()));
            app.keyring.change_password(&signed_in, old, new).await.unwrap();
        } else {
            app.keyring.set_password("mia@acme.test", PersonScope::Everyone, PASSWORD.to_owned().into()).await.unwrap();
        }
        assert!(accept(&app, &made.token).await.is_err(), "by themselves: {by_themselves}");
    }
}

async fn link_used_twice_concurrently_works_once(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let made = invite(&app, &tenant, "Mia", Role::Member).await;
    let attempts: Vec<_> = ["the first of the passwords", "the second of the passwords"]
        .into_iter()
        .map(|password| {
            let (keyring, token) = (app.keyring.clone(), made.token.clone());
            let accept = async move { keyring.accept_invitation(&token, password.to_owned().into(), home()).await };
            (password, tokio::spawn(accept))
        })
        .collect();
    let mut good = Vec::new();
    for (password, attempt) in attempts {
        match attempt.await.unwrap() {
            Ok(_) => good.push(password),
            Err(error) => assert!(matches!(error, Error::Refused(_)), "{error}"),
        }
    }
    let [password] = good[..] else { panic!("accepted {} times", good.len()) };
    assert!(app.sign_in("mia@acme.test", password).await.is_ok(), "the first one has set the password");
    assert_eq!(app.actions(&made.person.id).await, ["person.invited", "person.joined", "session.opened"]);
}

async fn link_ends_earlier_sessions(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let mia = member(&app, &tenant, "Mia").await;
    let token = app.sign_in("mia@acme.test", PASSWORD).await.unwrap();
    let made = app.keyring.make_password_link(&tenant, &mia).await.unwrap();
    assert!(signed_in(&app, &token).await.is_some(), "until it is used, nothing changes");
    accept(&app, &made.token).await.unwrap();
    assert!(signed_in(&app, &token).await.is_none());
}

async fn deactivated_person_gets_no_link(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let made = invite(&app, &tenant, "Mia", Role::Member).await;
    let mia = &made.person.id;
    app.keyring.deactivate(&tenant, mia).await.unwrap();
    assert!(accept(&app, &made.token).await.is_err(), "the link has ended");
    let refused = app.keyring.make_password_link(&tenant, mia).await;
    assert!(matches!(refused, Err(Error::Refused(reason)) if reason.contains("Reactivate them first")));
    app.keyring.reactivate(&tenant, mia).await.unwrap();
    assert!(accept(&app, &made.token).await.is_err(), "and does not come back");
    let again = app.keyring.make_password_link(&tenant, mia).await.unwrap();
    accept(&app, &again.token).await.unwrap();
    let ana = app.admin(&tenant, "Ana").await;
    let own = app.keyring.make_password_link(&ana, &id_of(&app, &tenant, "Ana").await).await;
    assert!(matches!(own, Err(Error::Refused(_))), "one's own password takes the current one");
}
