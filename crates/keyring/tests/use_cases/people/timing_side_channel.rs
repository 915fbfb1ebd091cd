//! Rejected sign-ins reveal no reason, neither in their text nor by their timing.

use std::time::Instant;

use chrono::TimeDelta;
use domain::person::Role;
use keyring::{Credentials, Error, NewPerson};

use super::{
    super::fixture::{PASSWORD, TestKeyring, client},
    invite, member,
};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    rejected_sign_ins_get_the_same_answer,
    rejected_sign_ins_take_the_same_time,
}

/// An address that people of two tenants have.
const BOTH: &str = "both@example.test";

/// People who may not sign in, and why: an address and a password each.
async fn rejected_sign_ins(app: &TestKeyring) -> [(&'static str, &'static str, &'static str); 5] {
    let tenant = app.tenant("acme").await;
    app.person(&tenant, "Ana", Role::TenantAdmin).await;
    let gone = member(app, &tenant, "Gone").await;
    app.keyring.deactivate(&tenant, &gone).await.unwrap();
    invite(app, &tenant, "Zoe", Role::Member).await;
    for slug in ["north", "south"] {
        let tenant = app.tenant(slug).await;
        let new = NewPerson { email: BOTH.to_owned(), name: "Both".to_owned(), password: PASSWORD.to_owned().into() };
        app.keyring.create_person(Some(&tenant), Role::Member, new).await.unwrap();
    }
    [
        ("unknown", "unknown@acme.test", PASSWORD),
        ("wrong password", "ana@acme.test", "a wrong password"),
        ("switched off", "gone@acme.test", PASSWORD),
        ("invited", "zoe@acme.test", PASSWORD),
        ("ambiguous", BOTH, PASSWORD),
    ]
}

async fn rejected_sign_ins_get_the_same_answer(app: TestKeyring) {
    for (why, email, password) in rejected_sign_ins(&app).await {
        let refused = app.sign_in(email, password).await.err().map(|error| error.to_string());
        assert_eq!(refused.as_deref(), Some("The e-mail address or the password is wrong."), "{why}");
        let empty = app.sign_in(email, "").await.err().map(|error| error.to_string());
        assert_eq!(empty, refused, "{why}, with no password at all");
    }
}

/// The maximum difference between the fastest attempts. Verifying a password takes about 25 ms, nine tenths of the
/// whole, so skipping it would stand out.
const TOLERANCE: f64 = 0.1;

const MIN_ROUNDS: usize = 100;

/// Other work on the machine only ever delays an attempt, so the fastest of many shows what an attempt takes by itself. A
/// busy machine needs more of them.
const MAX_ROUNDS: usize = 1_000;

async fn rejected_sign_ins_take_the_same_time(app: TestKeyring) {
    let kinds = rejected_sign_ins(&app).await;
    let mut fastest = [f64::INFINITY; 5];
    for round in 0..MAX_ROUNDS {
        // Stays below the limits for an address and for a quarter of an hour.
        app.advance(TimeDelta::minutes(1));
        let client = client(&format!("198.51.{}.{}", round / 250, round % 250));
        // Each kind comes first as often as the others.
        for kind in (0..kinds.len()).map(|place| (place + round) % kinds.len()) {
            let (_, email, password) = kinds[kind];
            let credentials =
                Credentials { organization: None, email: email.to_owned(), password: password.to_owned().into() };
            let start = Instant::now();
            let refused = app.keyring.sign_in(credentials, None, &client).await;
            fastest[kind] = fastest[kind].min(start.elapsed().as_secs_f64());
            assert!(matches!(refused, Err(Error::WrongCredentials)));
        }
        let (least, most) =
            (fastest.into_iter().fold(f64::INFINITY, f64::min), fastest.into_iter().fold(0.0, f64::max));
        if round >= MIN_ROUNDS && most <= least * (1.0 + TOLERANCE) {
            return;
        }
    }
    let times: Vec<_> = kinds.iter().map(|(why, ..)| why).zip(fastest).collect();
    panic!("they can be told apart by the time it takes: {times:?}");
}
