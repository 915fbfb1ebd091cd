use booking::{Error, Guest, NewReservation, NewService, Offer, Status, Thing};
use chrono::{Days, Months};
use domain::id::{Id, ServiceId};

use super::fixture::{TestBooking, december, euros, first_page, minutes_later, now, refused};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestBooking:
    reservation_is_stored_as_created,
    package_has_its_own_price_and_uses_its_services_units,
    nights_are_occupied_and_days_of_departure_are_free,
    more_units_than_exist_are_refused,
    all_invalid_fields_are_reported_together,
    days_are_checked_against_all_time_zones,
    overflowing_price_is_refused,
    caller_who_is_no_longer_admitted_reserves_nothing,
    cancelled_reservation_occupies_nothing,
    everything_is_deleted_with_its_property,
}

async fn reservation_is_stored_as_created(app: TestBooking) {
    let house = app.house("acme", 5).await;
    let guest = Guest { name: "  Zoë 陳  ".to_owned(), email: Some(" Zoe@Example.TEST ".to_owned()) };
    let made = app.reserve(&house, &NewReservation { guest, units: 2, ..house.stay(1, 4) }).await.unwrap();
    assert_eq!((made.property.clone(), made.service.clone()), (house.property.clone(), house.service.id.clone()));
    assert_eq!(made.package, None);
    assert_eq!(made.guest, Guest { name: "Zoë 陳".to_owned(), email: Some("zoe@example.test".to_owned()) });
    assert_eq!((made.arrival, made.departure, made.units), (december(1), december(4), 2));
    assert_eq!((made.status, made.price.clone()), (Status::Confirmed, euros(12_900 * 2 * 3)));
    assert_eq!((made.created_at, made.created_by.clone()), (now(), house.caller.identity.to_string()));
    assert_eq!(app.booking.reservation(&house.caller, &made.id).await.unwrap(), made);
    let listed = app.booking.reservations(&house.caller, None, &first_page()).await.unwrap();
    assert_eq!(listed.items, [made]);
}

async fn package_has_its_own_price_and_uses_its_services_units(app: TestBooking) {
    let house = app.house("acme", 2).await;
    let package = app.package(&house, "With breakfast").await;
    let with_breakfast = NewReservation { offer: Offer::Package(package.id.clone()), ..house.stay(1, 3) };
    let made = app.reserve(&house, &with_breakfast).await.unwrap();
    assert_eq!((made.service.clone(), made.package.clone()), (house.service.id.clone(), Some(package.id)));
    assert_eq!(made.price, euros(15_900 * 2));
    app.reserve(&house, &house.stay(2, 4)).await.unwrap();
    for third in [with_breakfast, house.stay(1, 3)] {
        let full = app.reserve(&house, &third).await;
        assert!(matches!(full, Err(Error::SoldOut { date, available: 0 }) if date == december(2)), "{full:?}");
    }
}

async fn nights_are_occupied_and_days_of_departure_are_free(app: TestBooking) {
    let house = app.house("acme", 1).await;
    app.reserve(&house, &house.stay(5, 8)).await.unwrap();
    for (arrival, departure, first_full) in [(5, 8, 5), (4, 6, 5), (7, 9, 7), (6, 7, 6), (1, 20, 5)] {
        let full = app.reserve(&house, &house.stay(arrival, departure)).await;
        let expected = december(first_full);
        assert!(matches!(full, Err(Error::SoldOut { date, available: 0 }) if date == expected), "{arrival} {full:?}");
    }
    app.reserve(&house, &house.stay(8, 9)).await.expect("on the day of departure");
    app.reserve(&house, &house.stay(3, 5)).await.expect("until the day of arrival");
}

async fn more_units_than_exist_are_refused(app: TestBooking) {
    let house = app.house("acme", 3).await;
    let all = NewReservation { units: 3, ..house.stay(1, 2) };
    let full = app.reserve(&house, &NewReservation { units: 4, ..house.stay(1, 2) }).await;
    assert!(matches!(full, Err(Error::SoldOut { available: 3, .. })), "{full:?}");
    app.reserve(&house, &all).await.unwrap();
    let refusal = app.reserve(&house, &all).await.unwrap_err();
    assert_eq!(refusal.to_string(), "Only 0 of it are left on 2026-12-01. Choose other days or fewer units.");
}

async fn all_invalid_fields_are_reported_together(app: TestBooking) {
    let house = app.house("acme", 3).await;
    let guest = Guest { name: "Ida\nLund".to_owned(), email: Some("nowhere".to_owned()) };
    let arrival = now().date_naive() - Days::new(2);
    let wrong = NewReservation { guest, arrival, departure: arrival, units: 0, ..house.stay(1, 2) };
    let expected = [
        ("guest.name", "control_character"),
        ("guest.email", "not_an_email"),
        ("arrival", "in_the_past"),
        ("departure", "not_after_arrival"),
        ("units", "out_of_range"),
    ];
    let expected = expected.map(|(field, code)| (field, code.to_owned()));
    assert_eq!(refused(app.reserve(&house, &wrong).await), expected);

    let right = house.stay(1, 2);
    let named = |name: String| NewReservation { guest: Guest { name, email: None }, ..right.clone() };
    let mailed = |letters: usize| {
        let email = Some(format!("{}@example.test", "x".repeat(letters - "@example.test".len())));
        NewReservation { guest: Guest { name: "Ida".to_owned(), email }, ..right.clone() }
    };
    assert_eq!(refused(app.reserve(&house, &named(" ".to_owned())).await), [("guest.name", "required".to_owned())]);
    assert_eq!(refused(app.reserve(&house, &named("x".repeat(201))).await), [("guest.name", "too_long".to_owned())]);
    assert_eq!(refused(app.reserve(&house, &mailed(255)).await), [("guest.email", "not_an_email".to_owned())]);
    let many = NewReservation { units: 1001, ..right.clone() };
    assert_eq!(refused(app.reserve(&house, &many).await), [("units", "out_of_range".to_owned())]);
    assert!(app.texts("SELECT id FROM reservation").await.is_empty());
    app.reserve(&house, &named("x".repeat(200))).await.unwrap();
    app.reserve(&house, &mailed(254)).await.unwrap();
}

async fn days_are_checked_against_all_time_zones(app: TestBooking) {
    let house = app.house("acme", 3).await;
    let today = now().date_naive();
    let latest = today + Months::new(60);
    let stay = |arrival, nights| NewReservation { arrival, departure: arrival + Days::new(nights), ..house.stay(1, 2) };
    app.reserve(&house, &stay(today - Days::new(1), 1)).await.expect("it is still yesterday in Hawaii");
    app.reserve(&house, &stay(latest, 365)).await.expect("the farthest and longest stay");
    let too_far = refused(app.reserve(&house, &stay(latest + Days::new(1), 1)).await);
    assert_eq!(too_far, [("arrival", "too_far".to_owned())]);
    let too_long = refused(app.reserve(&house, &stay(today, 366)).await);
    assert_eq!(too_long, [("departure", "too_many_nights".to_owned())]);
}

async fn overflowing_price_is_refused(app: TestBooking) {
    let house = app.house("acme", 3).await;
    let new = NewService { name: "The moon".to_owned(), units: 5, price: euros(i64::MAX) };
    let moon = app.booking.create_service(&house.caller.tenant, &house.property, new, now()).await.unwrap();
    let offer = Offer::Service(moon.id);
    let two_nights = NewReservation { offer: offer.clone(), ..house.stay(1, 3) };
    assert_eq!(refused(app.reserve(&house, &two_nights).await), [("units", "too_much".to_owned())]);
    let one = app.reserve(&house, &NewReservation { offer, ..house.stay(1, 2) }).await.unwrap();
    assert_eq!(one.price, euros(i64::MAX));
}

async fn cancelled_reservation_occupies_nothing(app: TestBooking) {
    let house = app.house("acme", 1).await;
    let made = app.reserve(&house, &house.stay(1, 3)).await.unwrap();
    app.execute(&format!("UPDATE reservation SET status = 'cancelled' WHERE id = '{}'", made.id)).await;
    assert_eq!(app.booking.reservation(&house.caller, &made.id).await.unwrap().status, Status::Cancelled);
    app.reserve(&house, &house.stay(1, 3)).await.unwrap();
}

async fn caller_who_is_no_longer_admitted_reserves_nothing(app: TestBooking) {
    let house = app.house("acme", 2).await;
    let call = booking::Idempotency { key: "k", body: b"{}" };
    for idempotency in [None, Some(call)] {
        let refused = app.booking.reserve(&house.caller, &house.stay(1, 3), idempotency, now(), || false).await;
        assert!(matches!(refused, Err(Error::AdmissionChanged)), "{refused:?}");
    }
    assert!(app.texts("SELECT id FROM reservation").await.is_empty());
    let sent_again = app.booking.reserve(&house.caller, &house.stay(1, 3), Some(call), now(), || true).await;
    assert!(!sent_again.unwrap().replayed, "a refused call is not remembered");
}

async fn everything_is_deleted_with_its_property(app: TestBooking) {
    let house = app.house("acme", 2).await;
    let package = app.package(&house, "With breakfast").await;
    let new = NewReservation { offer: Offer::Package(package.id), ..house.stay(1, 3) };
    let idempotency = booking::Idempotency { key: "k", body: b"{}" };
    app.booking.reserve(&house.caller, &new, Some(idempotency), minutes_later(1), || true).await.unwrap();
    app.execute(&format!("DELETE FROM property WHERE id = '{}'", house.property)).await;
    for table in ["service", "package", "reservation", "idempotency"] {
        assert!(app.texts(&format!("SELECT tenant_id FROM {table}")).await.is_empty(), "{table}");
    }
    let gone = app.reserve(&house, &house.stay(1, 3)).await;
    assert!(matches!(gone, Err(Error::NotFound(Thing::Service))), "{gone:?}");
    let unknown = Offer::Service(ServiceId::parse("svc_01JCQ4Y2V9ZK3T5N6R7S8W9XAB").unwrap());
    let never = app.reserve(&house, &NewReservation { offer: unknown, ..house.stay(1, 3) }).await;
    assert!(matches!(never, Err(Error::NotFound(Thing::Service))), "{never:?}");
}
