use chrono::TimeDelta;
use domain::{group::GroupType, id::Id, person::Role};
use keyring::{ActiveSession, Error, NewGroup, NewRole};

use super::fixture::{PASSWORD, TestKeyring, client, codes, home};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    people_name_themselves,
    password_change_ends_all_other_sessions,
    current_password_must_be_correct,
    one_of_two_concurrent_changes_wins,
    guesses_at_the_current_password_are_throttled,
    people_see_their_own_sessions_only,
    signing_out_everywhere_ends_all_sessions,
    members_groups_grant_their_permissions,
}

const MIA: &str = "mia@acme.test";
const ANOTHER: &str = "another long password";

async fn mia(app: &TestKeyring) -> ActiveSession {
    let tenant = app.tenant("acme").await;
    app.person(&tenant, "Mia", Role::Member).await;
    app.at_the_console(MIA).await
}

async fn change(app: &TestKeyring, signed_in: &ActiveSession, current: &str, new: &str) -> Result<(), Error> {
    app.keyring.change_password(signed_in, current.to_owned().into(), new.to_owned().into()).await
}

async fn people_name_themselves(app: TestKeyring) {
    let mia = mia(&app).await;
    app.keyring.rename_oneself(&mia, "  Mia Marin ").await.unwrap();
    let renamed = app.at_the_console(MIA).await;
    assert_eq!(renamed.person.name, "Mia Marin");
    app.keyring.rename_oneself(&renamed, "Mia Marin").await.unwrap();
    assert_eq!(codes(app.keyring.rename_oneself(&renamed, " M ").await)[0].0, "name");
    let renaming = "SELECT detail FROM audit_event WHERE action = 'person.renamed'";
    assert_eq!(app.texts(renaming).await, [r#"{"after":{"name":"Mia Marin"},"before":{"name":"Mia"}}"#]);
}

async fn password_change_ends_all_other_sessions(app: TestKeyring) {
    mia(&app).await;
    let here = app.sign_in(MIA, PASSWORD).await.unwrap();
    let elsewhere = app.sign_in(MIA, PASSWORD).await.unwrap();
    assert_eq!(codes(change(&app, &app.whose(&here).await, PASSWORD, "too short").await)[0].0, "password");
    change(&app, &app.whose(&here).await, PASSWORD, ANOTHER).await.unwrap();
    assert!(app.keyring.signed_in(&here, home()).await.unwrap().is_some());
    assert!(app.keyring.signed_in(&elsewhere, home()).await.unwrap().is_none());
    assert!(matches!(app.sign_in(MIA, PASSWORD).await, Err(Error::WrongCredentials)));
    assert!(app.sign_in(MIA, ANOTHER).await.is_ok());
    let told = "SELECT detail FROM audit_event WHERE action = 'person.password_changed'";
    assert_eq!(app.texts(told).await, [r#"{"sessions_ended":2}"#]);
}

async fn current_password_must_be_correct(app: TestKeyring) {
    let mia = mia(&app).await;
    for wrong in ["", "a wrong password", ANOTHER] {
        let refused = change(&app, &mia, wrong, ANOTHER).await;
        assert_eq!(codes(refused), [("current_password", "wrong".to_owned())]);
    }
    assert!(app.sign_in(MIA, PASSWORD).await.is_ok(), "it is as it was");
}

async fn one_of_two_concurrent_changes_wins(app: TestKeyring) {
    let mia = mia(&app).await;
    let (one, other) = tokio::join!(
        change(&app, &mia, PASSWORD, "the first new password"),
        change(&app, &mia, PASSWORD, "the second new password"),
    );
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    let good = if one.is_ok() { "the first new password" } else { "the second new password" };
    assert!(app.sign_in(MIA, good).await.is_ok());
}

async fn guesses_at_the_current_password_are_throttled(app: TestKeyring) {
    let mia = mia(&app).await;
    for _ in 0..10 {
        assert!(matches!(change(&app, &mia, "a wrong guess", ANOTHER).await, Err(Error::Invalid(_))));
    }
    assert!(matches!(change(&app, &mia, PASSWORD, ANOTHER).await, Err(Error::TooManyAttempts { .. })));
    app.advance(TimeDelta::minutes(15));
    change(&app, &mia, PASSWORD, ANOTHER).await.expect("not for good");
}

async fn people_see_their_own_sessions_only(app: TestKeyring) {
    mia(&app).await;
    let tenant = app.keyring.operator_for("acme").await.unwrap();
    app.person(&tenant, "Ben", Role::Member).await;
    app.sign_in("ben@acme.test", PASSWORD).await.unwrap();
    let ended = app.sign_in(MIA, PASSWORD).await.unwrap();
    app.keyring.sign_out(&ended, home()).await.unwrap();
    app.advance(TimeDelta::hours(1));
    let credentials =
        keyring::Credentials { organization: None, email: MIA.to_owned(), password: PASSWORD.to_owned().into() };
    let token = app.keyring.sign_in(credentials, None, &client("2001:db8::7")).await.unwrap();
    let sessions = app.keyring.own_sessions(&app.whose(&token).await).await.unwrap();
    let seen: Vec<_> = sessions.iter().map(|session| (session.address.as_str(), session.is_this)).collect();
    assert_eq!(seen, [("2001:db8::7", true), ("203.0.113.7", false)], "the latest first, and none that ended");
    assert_eq!((sessions[0].opened_at, sessions[0].user_agent.as_str()), (app.now(), "tests"));
}

async fn signing_out_everywhere_ends_all_sessions(app: TestKeyring) {
    let mia = mia(&app).await;
    let tokens = [app.sign_in(MIA, PASSWORD).await.unwrap(), app.sign_in(MIA, PASSWORD).await.unwrap()];
    let tenant = app.keyring.operator_for("acme").await.unwrap();
    app.person(&tenant, "Ben", Role::Member).await;
    let bens = app.sign_in("ben@acme.test", PASSWORD).await.unwrap();
    app.keyring.sign_out_everywhere(&app.whose(&tokens[0]).await).await.unwrap();
    for token in &tokens {
        assert!(app.keyring.signed_in(token, home()).await.unwrap().is_none());
    }
    assert!(app.keyring.signed_in(&bens, home()).await.unwrap().is_some(), "other people's");
    assert_eq!(app.actions(&mia.person.id).await.last().unwrap(), "session.all_ended");
    assert!(app.sign_in(MIA, PASSWORD).await.is_ok());
}

async fn members_groups_grant_their_permissions(app: TestKeyring) {
    let mia = mia(&app).await;
    let tenant = app.keyring.operator_for("acme").await.unwrap();
    assert!(app.keyring.own_groups(&mia).await.unwrap().is_empty());
    let mut groups = Vec::new();
    for name in ["Night shift", "Front desk"] {
        let permissions = vec!["reservations:*".to_owned(), "*:read".to_owned()];
        let new = NewGroup { name: name.to_owned(), group_type: GroupType::Person, permissions };
        groups.push(app.keyring.create_group(&tenant, new).await.unwrap());
    }
    let ids = groups.iter().map(|group| group.id.as_str().to_owned()).collect();
    let role = NewRole { role: "member".to_owned(), groups: ids };
    app.keyring.set_role(&tenant, &mia.person.id, &role).await.unwrap();
    groups.reverse();
    assert_eq!(app.keyring.own_groups(&mia).await.unwrap(), groups, "by name");
    app.person(&tenant, "Ana", Role::TenantAdmin).await;
    assert!(app.keyring.own_groups(&app.at_the_console("ana@acme.test").await).await.unwrap().is_empty());
}
