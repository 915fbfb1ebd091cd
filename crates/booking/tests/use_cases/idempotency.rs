use std::time::Duration;

use booking::{Error, Idempotency, NewReservation};
use chrono::{Days, TimeDelta};
use domain::{
    caller::{Caller, Identity},
    id::{Id, KeyId},
};

use super::fixture::{TestBooking, december, minutes_later, now};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestBooking:
    repeated_call_gets_the_first_answer,
    sold_out_is_replayed_too,
    different_body_is_a_different_request,
    idempotency_keys_belong_to_their_caller,
    call_that_is_still_running_is_not_repeated,
    abandoned_call_leaves_nothing,
    refused_call_leaves_nothing,
    twenty_concurrent_calls_make_one_reservation,
    slower_node_returns_the_answer_of_the_faster,
    nodes_compare_bodies,
    answers_are_forgotten_after_a_day,
    only_hashes_are_stored,
}

const CALL: Idempotency<'_> = Idempotency { key: "8e03978e", body: b"{\"units\":1}" };
const OTHER_BODY: Idempotency<'_> = Idempotency { body: b"{\"units\":2}", ..CALL };

/// Long enough for a call that does not wait.
const A_WHILE: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(10);

async fn repeated_call_gets_the_first_answer(app: TestBooking) {
    let house = app.house("acme", 5).await;
    // Just in time: a day later it is too late for this arrival, but not for repeating the call.
    let arrival = now().date_naive() - Days::new(1);
    let new = NewReservation { arrival, ..house.stay(1, 3) };
    let first = app.booking.reserve(&house.caller, &new, Some(CALL), now(), || true).await.unwrap();
    assert!(!first.replayed);
    for (node, late) in [(&app.booking, 5), (&app.other_node(), 60 * 24)] {
        let again = node.reserve(&house.caller, &new, Some(CALL), minutes_later(late), || true).await.unwrap();
        assert!(again.replayed);
        assert_eq!(again.reservation, first.reservation);
    }
    assert_eq!(app.texts("SELECT id FROM reservation").await.len(), 1);
}

async fn sold_out_is_replayed_too(app: TestBooking) {
    let house = app.house("acme", 3).await;
    let made = app.reserve(&house, &NewReservation { units: 2, ..house.stay(2, 3) }).await.unwrap();
    let new = NewReservation { units: 2, ..house.stay(1, 4) };
    for round in 0..2 {
        let full = app.booking.reserve(&house.caller, &new, Some(CALL), now(), || true).await;
        assert!(matches!(full, Err(Error::SoldOut { date, available: 1 }) if date == december(2)), "{round}: {full:?}");
        app.execute(&format!("UPDATE reservation SET status = 'cancelled' WHERE id = '{}'", made.id)).await;
    }
    app.reserve(&house, &new).await.expect("with a new key there is room");
}

async fn different_body_is_a_different_request(app: TestBooking) {
    let house = app.house("acme", 5).await;
    app.booking.reserve(&house.caller, &house.stay(1, 3), Some(CALL), now(), || true).await.unwrap();
    let two = NewReservation { units: 2, ..house.stay(1, 3) };
    let reused = app.booking.reserve(&house.caller, &two, Some(OTHER_BODY), now(), || true).await;
    assert!(matches!(reused, Err(Error::KeyReused)), "{reused:?}");
    let other_key = Idempotency { key: "8E03978E", ..OTHER_BODY };
    assert!(!app.booking.reserve(&house.caller, &two, Some(other_key), now(), || true).await.unwrap().replayed);
}

async fn idempotency_keys_belong_to_their_caller(app: TestBooking) {
    let house = app.house("acme", 5).await;
    let other = app.house("other", 5).await;
    let identity = Identity::Key(KeyId::parse("key_01JCQ4Y2V9ZK3T5N6R7S8W9XAB").unwrap());
    let colleague = Caller { identity, ..house.caller.clone() };
    // A person who may enter two tenants is a different caller in each.
    let visitor = Caller { identity: house.caller.identity.clone(), ..other.caller.clone() };
    for (caller, house) in [(&house.caller, &house), (&colleague, &house), (&visitor, &other)] {
        let reserved = app.booking.reserve(caller, &house.stay(1, 3), Some(CALL), now(), || true).await.unwrap();
        assert!(!reserved.replayed);
    }
}

async fn call_that_is_still_running_is_not_repeated(app: TestBooking) {
    let house = app.house("acme", 5).await;
    let new = house.stay(1, 3);
    let held = app.hold(&house).await;
    let mut first = Box::pin(app.booking.reserve(&house.caller, &new, Some(CALL), now(), || true));
    assert!(tokio::time::timeout(A_WHILE, &mut first).await.is_err(), "it has to wait");
    let second = app.booking.reserve(&house.caller, &new, Some(CALL), now(), || true);
    let second = tokio::time::timeout(LONG, second).await.expect("it does not wait");
    assert!(matches!(second, Err(Error::StillRunning)), "{second:?}");
    drop(held);
    let first = first.await.unwrap();
    let third = app.booking.reserve(&house.caller, &new, Some(CALL), now(), || true).await.unwrap();
    assert_eq!((third.reservation, third.replayed), (first.reservation, true));
}

async fn abandoned_call_leaves_nothing(app: TestBooking) {
    let house = app.house("acme", 1).await;
    let new = house.stay(1, 3);
    let held = app.hold(&house).await;
    let given_up = app.booking.reserve(&house.caller, &new, Some(CALL), now(), || true);
    assert!(tokio::time::timeout(A_WHILE, given_up).await.is_err(), "it has to wait");
    drop(held);
    let next = app.booking.reserve(&house.caller, &new, Some(CALL), now(), || true).await.unwrap();
    assert!(!next.replayed);
}

async fn refused_call_leaves_nothing(app: TestBooking) {
    let house = app.house("acme", 1).await;
    let wrong = NewReservation { units: 0, ..house.stay(1, 3) };
    let refused = app.booking.reserve(&house.caller, &wrong, Some(CALL), now(), || true).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    let elsewhere = NewReservation { property: house.other_property.clone(), ..house.stay(1, 3) };
    let unknown = app.booking.reserve(&house.caller, &elsewhere, Some(CALL), now(), || true).await;
    assert!(matches!(unknown, Err(Error::NotFound(_))), "{unknown:?}");
    assert!(app.texts("SELECT caller FROM idempotency").await.is_empty());
    let right = app.booking.reserve(&house.caller, &house.stay(1, 3), Some(OTHER_BODY), now(), || true).await.unwrap();
    assert!(!right.replayed);
}

async fn twenty_concurrent_calls_make_one_reservation(app: TestBooking) {
    let house = app.house("acme", 50).await;
    let nodes = [app.booking.clone(), app.other_node(), app.other_node(), app.other_node()];
    let attempts: Vec<_> = (0..20)
        .map(|n| {
            let (node, caller, new) = (nodes[n % nodes.len()].clone(), house.caller.clone(), house.stay(1, 3));
            tokio::spawn(async move { node.reserve(&caller, &new, Some(CALL), now(), || true).await })
        })
        .collect();
    let mut answered = Vec::new();
    for attempt in attempts {
        match attempt.await.unwrap() {
            Ok(reserved) => answered.push(reserved),
            Err(Error::StillRunning) => {}
            Err(other) => panic!("another refusal: {other}"),
        }
    }
    assert_eq!(answered.iter().filter(|reserved| !reserved.replayed).count(), 1);
    assert!(answered.iter().all(|reserved| reserved.reservation == answered[0].reservation));
    assert_eq!(app.texts("SELECT id FROM reservation").await, [answered[0].reservation.id.to_string()]);
}

/// Two nodes that have both found the key unused, and then go on at the same time.
async fn slower_node_returns_the_answer_of_the_faster(app: TestBooking) {
    // There is one unit, so the slower finds the house full before it learns that it was itself who took it.
    let house = app.house("acme", 1).await;
    let new = house.stay(1, 3);
    let other = app.other_node();
    let held = app.hold(&house).await;
    let mut first = Box::pin(app.booking.reserve(&house.caller, &new, Some(CALL), now(), || true));
    let mut second = Box::pin(other.reserve(&house.caller, &new, Some(CALL), now(), || true));
    assert!(tokio::time::timeout(A_WHILE, &mut first).await.is_err(), "it has to wait");
    assert!(tokio::time::timeout(A_WHILE, &mut second).await.is_err(), "it has to wait");
    drop(held);
    let (first, second) = tokio::join!(first, second);
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.reservation, second.reservation);
    assert!(first.replayed != second.replayed);
    assert_eq!(app.texts("SELECT id FROM reservation").await.len(), 1);
}

async fn nodes_compare_bodies(app: TestBooking) {
    let house = app.house("acme", 5).await;
    let (one, two) = (house.stay(1, 3), NewReservation { units: 2, ..house.stay(1, 3) });
    let other = app.other_node();
    let held = app.hold(&house).await;
    let mut first = Box::pin(app.booking.reserve(&house.caller, &one, Some(CALL), now(), || true));
    let mut second = Box::pin(other.reserve(&house.caller, &two, Some(OTHER_BODY), now(), || true));
    assert!(tokio::time::timeout(A_WHILE, &mut first).await.is_err(), "it has to wait");
    assert!(tokio::time::timeout(A_WHILE, &mut second).await.is_err(), "it has to wait");
    drop(held);
    let outcomes = tokio::join!(first, second);
    let is_right = matches!(outcomes, (Ok(_), Err(Error::KeyReused)) | (Err(Error::KeyReused), Ok(_)));
    assert!(is_right, "{outcomes:?}");
    assert_eq!(app.texts("SELECT id FROM reservation").await.len(), 1);
}

async fn answers_are_forgotten_after_a_day(app: TestBooking) {
    let house = app.house("acme", 5).await;
    let day = TimeDelta::hours(24);
    let moment = TimeDelta::milliseconds(1);
    let first = app.booking.reserve(&house.caller, &house.stay(1, 3), Some(CALL), now(), || true).await.unwrap();
    let again = app.booking.reserve(&house.caller, &house.stay(1, 3), Some(CALL), now() + day, || true).await.unwrap();
    assert_eq!((again.reservation, again.replayed), (first.reservation.clone(), true));
    let anew =
        app.booking.reserve(&house.caller, &house.stay(1, 3), Some(OTHER_BODY), now() + day + moment, || true).await;
    assert!(!anew.unwrap().replayed, "the old row does not conflict");

    assert_eq!(app.booking.clear_old(now() + day + moment).await.unwrap(), 0, "the new one is young");
    assert_eq!(app.booking.clear_old(now() + day + moment + day).await.unwrap(), 0);
    assert_eq!(app.booking.clear_old(now() + day + moment + day + moment).await.unwrap(), 1);
    assert_eq!(app.texts("SELECT id FROM reservation").await.len(), 2, "reservations stay");
}

async fn only_hashes_are_stored(app: TestBooking) {
    let house = app.house("acme", 5).await;
    app.booking.reserve(&house.caller, &house.stay(1, 3), Some(CALL), now(), || true).await.unwrap();
    let kept = app.texts("SELECT key_sha256 || ' ' || body_sha256 FROM idempotency").await;
    // `printf 8e03978e | sha256sum`, and the same of the body.
    let key = "2b3ffd0b13af24bb7e22a843249ba252757941a8ed3c608db759055dddd70c58";
    let body = "b10b42bc69bde8a7f1546e5957480206f5212484df5abde8dfab04989001e0bc";
    assert_eq!(kept, [format!("{key} {body}")]);
}
