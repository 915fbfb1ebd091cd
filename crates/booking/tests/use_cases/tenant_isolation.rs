//! Objects of other tenants, or outside the caller's properties, are reported as missing.

use booking::{Error, Idempotency, NewReservation, Offer, Reservation, Thing};
use domain::{caller::Caller, id::PropertyId};

use super::fixture::{House, TestBooking, december, first_page, now};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestBooking:
    foreign_caller_sees_nothing,
    restricted_caller_sees_no_other_property,
    restricted_caller_sees_its_properties,
    offer_must_be_named_with_its_property,
    call_repeated_out_of_scope_is_not_found,
}

/// A house with one of everything in it.
async fn full_house(app: &TestBooking) -> (House, Reservation) {
    let house = app.house("acme", 5).await;
    app.package(&house, "With breakfast").await;
    let made = app.reserve(&house, &house.stay(1, 3)).await.unwrap();
    (house, made)
}

async fn assert_blind(app: &TestBooking, caller: &Caller, house: &House, made: &Reservation) {
    let (booking, property) = (&app.booking, &house.property);
    assert!(booking.services(caller, property, &first_page()).await.unwrap().items.is_empty());
    assert!(booking.packages(caller, property, &first_page()).await.unwrap().items.is_empty());
    assert!(booking.availability(caller, property, december(1), december(5)).await.unwrap().is_empty());
    for named in [None, Some(property)] {
        assert!(booking.reservations(caller, named, &first_page()).await.unwrap().items.is_empty());
    }
    let found = booking.reservation(caller, &made.id).await;
    assert!(matches!(found, Err(Error::NotFound(Thing::Reservation))), "{found:?}");
    let package = app.texts("SELECT id FROM package").await.remove(0);
    let offers = [
        (Offer::Service(house.service.id.clone()), Thing::Service),
        (Offer::Package(package.try_into().unwrap()), Thing::Package),
    ];
    for (offer, thing) in offers {
        let new = NewReservation { offer, ..house.stay(5, 6) };
        let reserved = booking.reserve(caller, &new, None, now(), || true).await;
        assert!(matches!(reserved, Err(Error::NotFound(what)) if what == thing), "{reserved:?}");
    }
    assert_eq!(app.texts("SELECT id FROM reservation").await.len(), 1, "nothing was reserved");
}

async fn foreign_caller_sees_nothing(app: TestBooking) {
    let (house, made) = full_house(&app).await;
    let other = app.house("other", 5).await;
    assert_blind(&app, &other.caller, &house, &made).await;
    // A caller of another tenant is refused even if it claims to reach the property.
    let claiming = Caller { tenant: other.caller.tenant.clone(), ..house.narrowed_to(&[&house.property]) };
    assert_blind(&app, &claiming, &house, &made).await;
}

async fn restricted_caller_sees_no_other_property(app: TestBooking) {
    let (house, made) = full_house(&app).await;
    let nowhere: [&PropertyId; 0] = [];
    assert_blind(&app, &house.narrowed_to(&[&house.other_property]), &house, &made).await;
    assert_blind(&app, &house.narrowed_to(&nowhere), &house, &made).await;
}

async fn restricted_caller_sees_its_properties(app: TestBooking) {
    let (house, made) = full_house(&app).await;
    let elsewhere = app.service(&house.caller, &house.other_property, "Cabin", 1).await;
    let offer = Offer::Service(elsewhere.id);
    let there = NewReservation { property: house.other_property.clone(), offer, ..house.stay(1, 3) };
    app.reserve(&house, &there).await.unwrap();

    let caller = house.narrowed_to(&[&house.property]);
    let booking = &app.booking;
    assert_eq!(booking.services(&caller, &house.property, &first_page()).await.unwrap().items.len(), 1);
    assert_eq!(booking.packages(&caller, &house.property, &first_page()).await.unwrap().items.len(), 1);
    assert_eq!(booking.availability(&caller, &house.property, december(1), december(1)).await.unwrap().len(), 1);
    assert_eq!(booking.reservation(&caller, &made.id).await.unwrap(), made);
    for named in [None, Some(&house.property)] {
        assert_eq!(
            booking.reservations(&caller, named, &first_page()).await.unwrap().items,
            std::slice::from_ref(&made)
        );
    }
    let named = booking.reservations(&house.caller, Some(&house.property), &first_page()).await.unwrap();
    assert_eq!(named.items, [made], "of the property that was named");
    booking.reserve(&caller, &house.stay(5, 6), None, now(), || true).await.unwrap();
}

async fn offer_must_be_named_with_its_property(app: TestBooking) {
    let (house, _) = full_house(&app).await;
    let package = app.texts("SELECT id FROM package").await.remove(0);
    let offers = [
        (Offer::Service(house.service.id.clone()), Thing::Service),
        (Offer::Package(package.try_into().unwrap()), Thing::Package),
    ];
    for (offer, thing) in offers {
        let new = NewReservation { property: house.other_property.clone(), offer, ..house.stay(5, 6) };
        let reserved = app.reserve(&house, &new).await;
        assert!(matches!(reserved, Err(Error::NotFound(what)) if what == thing), "{reserved:?}");
    }
    let there = app.booking.packages(&house.caller, &house.other_property, &first_page()).await.unwrap();
    assert!(there.items.is_empty());
}

async fn call_repeated_out_of_scope_is_not_found(app: TestBooking) {
    let house = app.house("acme", 5).await;
    let call = Some(Idempotency { key: "k", body: b"{}" });
    app.booking.reserve(&house.caller, &house.stay(1, 3), call, now(), || true).await.unwrap();
    let narrowed = house.narrowed_to(&[&house.other_property]);
    let again = app.booking.reserve(&narrowed, &house.stay(1, 3), call, now(), || true).await;
    assert!(matches!(again, Err(Error::NotFound(Thing::Service))), "{again:?}");
    let elsewhere = NewReservation { property: house.other_property.clone(), ..house.stay(1, 3) };
    let again = app.booking.reserve(&narrowed, &elsewhere, call, now(), || true).await;
    assert!(matches!(again, Err(Error::NotFound(Thing::Reservation))), "{again:?}");
}
