//! Whoever may not sign in is told nothing of why, neither in words nor by the time it takes.

use std::time::Instant;

use chrono::TimeDelta;
use domain::person::Role;
use keyring::{Credentials, Error};

use super::{
    super::stage::{PASSWORD, Stage, client},
    invite, member,
};

on_both_databases! {
    those_who_may_not_sign_in_are_told_alike,
    those_who_may_not_sign_in_wait_alike,
}

/// People who may not sign in, and why: an address and a password each.
async fn those_who_may_not_sign_in(stage: &Stage) -> [(&'static str, &'static str, &'static str); 4] {
    let tenant = stage.tenant("acme").await;
    stage.person(&tenant, "Ana", Role::TenantAdmin).await;
    let gone = member(stage, &tenant, "Gone").await;
    stage.keyring.switch_off(&tenant, &gone).await.unwrap();
    invite(stage, &tenant, "Zoe", Role::Member).await;
    [
        ("unknown", "nobody@acme.test", PASSWORD),
        ("wrong password", "ana@acme.test", "a wrong password"),
        ("switched off", "gone@acme.test", PASSWORD),
        ("invited", "zoe@acme.test", PASSWORD),
    ]
}

async fn those_who_may_not_sign_in_are_told_alike(stage: Stage) {
    for (why, email, password) in those_who_may_not_sign_in(&stage).await {
        let refused = stage.sign_in(email, password).await.err().map(|error| error.to_string());
        assert_eq!(refused.as_deref(), Some("The e-mail address or the password is wrong."), "{why}");
        let empty = stage.sign_in(email, "").await.err().map(|error| error.to_string());
        assert_eq!(empty, refused, "{why}, with no password at all");
    }
}

/// How far apart the medians may be. Looking at a password takes about 25 ms, nine tenths of the whole; whoever
/// skipped it would be told apart at once. A tenth is what the rest of a busy machine makes of 200 attempts.
const TOLERANCE: f64 = 0.1;

async fn those_who_may_not_sign_in_wait_alike(stage: Stage) {
    const ROUNDS: usize = 200;
    let kinds = those_who_may_not_sign_in(&stage).await;
    let mut took = [const { Vec::<f64>::new() }; 4];
    for round in 0..ROUNDS {
        // Never so many from one address or in a quarter of an hour that the throttle steps in.
        stage.advance(TimeDelta::minutes(1));
        let client = client(&format!("198.51.100.{round}"));
        // Nobody always comes first.
        for kind in (0..kinds.len()).map(|place| (place + round) % kinds.len()) {
            let (_, email, password) = kinds[kind];
            let credentials = Credentials { email: email.to_owned(), password: password.to_owned().into() };
            let start = Instant::now();
            let refused = stage.keyring.sign_in(credentials, None, &client).await;
            took[kind].push(start.elapsed().as_secs_f64());
            assert!(matches!(refused, Err(Error::WrongCredentials)));
        }
    }
    let medians = took.map(median);
    let (least, most) = (medians.into_iter().fold(f64::MAX, f64::min), medians.into_iter().fold(0.0, f64::max));
    let told: Vec<_> = kinds.iter().map(|(why, ..)| why).zip(medians).collect();
    assert!(most <= least * (1.0 + TOLERANCE), "they can be told apart by the time it takes: {told:?}");
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
