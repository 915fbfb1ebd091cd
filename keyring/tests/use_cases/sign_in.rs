use std::time::Instant;

use chrono::TimeDelta;
use domain::person::Role;
use keyring::{Credentials, Error, MAX_SESSION_AGE, MAX_SUPER_USER_SESSION_AGE, NewPerson, SessionToken};

use super::stage::{PASSWORD, Stage, client, home};

const ROOT: &str = "root@latchkey.test";

on_both_databases! {
    a_right_password_opens_a_session,
    a_wrong_password_and_an_unknown_address_are_answered_alike,
    a_session_that_nobody_uses_ends,
    session_ends_at_its_maximum_age_however_often_it_is_used,
    signing_out_ends_the_session,
    only_the_hash_of_a_session_is_kept,
    another_password_ends_the_sessions,
    guessing_is_stopped_for_a_while,
    strangers_cannot_keep_out_somebody_who_has_signed_out,
    a_member_is_no_admin,
}

async fn session_ends_at_its_maximum_age_however_often_it_is_used(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    stage.person(&tenant, "Ana", Role::TenantAdmin).await;
    let new = NewPerson { email: ROOT.to_owned(), name: "Root".to_owned(), password: PASSWORD.to_owned().into() };
    stage.keyring.ensure_super_user(new).await.unwrap();
    for (email, max_age) in [("ana@acme.test", MAX_SESSION_AGE), (ROOT, MAX_SUPER_USER_SESSION_AGE)] {
        let token = stage.sign_in(email, PASSWORD).await.unwrap();
        let ends_at = stage.now() + max_age;
        while stage.now() < ends_at {
            assert!(stage.keyring.signed_in(&token, home()).await.unwrap().is_some(), "{email} at {}", stage.now());
            stage.advance(TimeDelta::hours(6));
        }
        assert!(stage.keyring.signed_in(&token, home()).await.unwrap().is_none(), "{email} after {max_age}");
    }
}

async fn a_right_password_opens_a_session(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    stage.person(&tenant, "Ana", Role::TenantAdmin).await;
    let token = stage.sign_in(" ANA@acme.test ", PASSWORD).await.unwrap();
    let signed_in = stage.keyring.signed_in(&token, home()).await.unwrap().unwrap();
    assert_eq!((signed_in.person.name.as_str(), signed_in.person.role), ("Ana", Role::TenantAdmin));
    assert_eq!(signed_in.tenant.unwrap().slug, "acme");
}

async fn a_wrong_password_and_an_unknown_address_are_answered_alike(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    stage.person(&tenant, "Ana", Role::TenantAdmin).await;
    let mut took = Vec::new();
    for email in ["ana@acme.test", "nobody@acme.test"] {
        let start = Instant::now();
        for _ in 0..4 {
            assert!(matches!(stage.sign_in(email, "wrong password").await, Err(Error::WrongCredentials)));
        }
        took.push(start.elapsed().as_secs_f64());
    }
    // Without the stand-in hash the second would take a hundredth of the first.
    assert!(took[1] > took[0] / 4.0, "an unknown address answers too quickly: {took:?}");
}

async fn a_session_that_nobody_uses_ends(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    stage.person(&tenant, "Ana", Role::TenantAdmin).await;
    let token = stage.sign_in("ana@acme.test", PASSWORD).await.unwrap();
    for _ in 0..3 {
        stage.advance(TimeDelta::hours(11));
        assert!(stage.keyring.signed_in(&token, home()).await.unwrap().is_some(), "in use");
    }
    stage.advance(TimeDelta::hours(12));
    assert!(stage.keyring.signed_in(&token, home()).await.unwrap().is_none());
}

async fn signing_out_ends_the_session(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    stage.person(&tenant, "Ana", Role::TenantAdmin).await;
    let token = stage.sign_in("ana@acme.test", PASSWORD).await.unwrap();
    let elsewhere = stage.sign_in("ana@acme.test", PASSWORD).await.unwrap();
    stage.keyring.sign_out(&token, home()).await.unwrap();
    stage.keyring.sign_out(&token, home()).await.unwrap();
    assert!(stage.keyring.signed_in(&token, home()).await.unwrap().is_none());
    assert!(stage.keyring.signed_in(&elsewhere, home()).await.unwrap().is_some());
}

async fn only_the_hash_of_a_session_is_kept(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    stage.person(&tenant, "Ana", Role::TenantAdmin).await;
    let token = stage.sign_in("ana@acme.test", PASSWORD).await.unwrap();
    let stored = stage.texts("SELECT token_sha256 FROM session").await;
    assert_eq!(stored.len(), 1);
    assert_ne!(stored[0], token.expose());
    let stolen = SessionToken::presented(&stored[0]);
    assert!(stage.keyring.signed_in(&stolen, home()).await.unwrap().is_none(), "what is stored opens nothing");
}

async fn another_password_ends_the_sessions(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    stage.person(&tenant, "Ana", Role::TenantAdmin).await;
    let token = stage.sign_in("ana@acme.test", PASSWORD).await.unwrap();
    stage.keyring.set_password("ana@acme.test", "another long password".to_owned().into()).await.unwrap();
    assert!(stage.keyring.signed_in(&token, home()).await.unwrap().is_none());
    assert!(stage.sign_in("ana@acme.test", PASSWORD).await.is_err());
    assert!(stage.sign_in("ana@acme.test", "another long password").await.is_ok());
}

async fn guessing_is_stopped_for_a_while(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    stage.person(&tenant, "Ana", Role::TenantAdmin).await;
    let guess = |address: &'static str, password: &'static str| {
        let credentials = Credentials { email: "ana@acme.test".to_owned(), password: password.to_owned().into() };
        let keyring = stage.keyring.clone();
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
    stage.advance(TimeDelta::minutes(15));
    assert!(guess("198.51.100.9", PASSWORD).await.is_ok(), "not for good");
}

async fn strangers_cannot_keep_out_somebody_who_has_signed_out(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    stage.person(&tenant, "Ana", Role::TenantAdmin).await;
    let attempt = |address: String, password: &'static str| {
        let credentials = Credentials { email: "ana@acme.test".to_owned(), password: password.to_owned().into() };
        let keyring = stage.keyring.clone();
        async move { keyring.sign_in(credentials, None, &client(&address)).await }
    };
    let token = attempt("2001:db8::1".to_owned(), PASSWORD).await.unwrap();
    stage.keyring.sign_out(&token, home()).await.unwrap();
    for number in 0..50 {
        let guess = attempt(format!("198.51.100.{number}"), "a wrong guess").await;
        assert!(matches!(guess, Err(Error::WrongCredentials)));
    }
    let stranger = attempt("198.51.100.200".to_owned(), PASSWORD).await;
    assert!(matches!(stranger, Err(Error::TooManyAttempts { .. })), "from all over the world it is too much");
    attempt("2001:db8::2".to_owned(), PASSWORD).await.expect("her own network is known");
}

async fn a_member_is_no_admin(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    stage.person(&tenant, "Mia", Role::Member).await;
    let token = stage.sign_in("mia@acme.test", PASSWORD).await.unwrap();
    let signed_in = stage.keyring.signed_in(&token, home()).await.unwrap().unwrap();
    assert!(matches!(signed_in.as_admin(), Err(Error::NotAnAdmin)));
}
