use booking::{Error, Money, NewPackage, NewReservation, NewService, Offer, PackageEdit, ServiceEdit, Thing};
use domain::{
    ensured::Ensured,
    id::{Id, PropertyId, ServiceId},
};

use super::fixture::{TestBooking, euros, first_page, now, refused};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestBooking:
    offers_are_stored_as_created,
    all_invalid_fields_are_reported_together,
    service_belongs_to_a_property_of_the_tenant,
    package_belongs_to_a_service_of_its_property,
    offer_with_the_same_name_is_not_created_twice,
    edited_offer_counts_for_new_reservations,
    archived_offer_is_neither_listed_nor_reserved,
}

fn service() -> NewService {
    NewService { name: "Suite".to_owned(), units: 4, price: euros(0) }
}

async fn offers_are_stored_as_created(app: TestBooking) {
    let house = app.house("acme", 10_000).await;
    let new = NewService {
        name: " Suite\u{a0}✨ ".to_owned(),
        units: 1,
        price: Money { minor: i64::MAX, currency: "JPY".to_owned() },
    };
    let suite = app.booking.create_service(&house.caller.tenant, &house.other_property, new, now()).await.unwrap();
    assert_eq!((suite.name.as_str(), suite.units, suite.created_at), ("Suite\u{a0}✨", 1, now()));
    let listed = app.booking.services(&house.caller, &house.other_property, &first_page()).await.unwrap();
    assert_eq!(listed.items, [suite]);
    let package = app.package(&house, "With breakfast").await;
    assert_eq!((package.service.clone(), package.price.clone()), (house.service.id.clone(), euros(15_900)));
    let listed = app.booking.packages(&house.caller, &house.property, &first_page()).await.unwrap();
    assert_eq!(listed.items, [package]);
    let listed = app.booking.services(&house.caller, &house.property, &first_page()).await.unwrap();
    assert_eq!(listed.items, [house.service]);
}

async fn all_invalid_fields_are_reported_together(app: TestBooking) {
    let house = app.house("acme", 1).await;
    let tenant = &house.caller.tenant;
    let expected = |codes: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
        codes.iter().map(|(field, code)| (*field, (*code).to_owned())).collect()
    };
    let price = Money { minor: -1, currency: "eur".to_owned() };
    let new = NewService { name: "x".to_owned(), units: 0, price: price.clone() };
    let wrong = refused(app.booking.create_service(tenant, &house.property, new, now()).await);
    let prices = [("price", "negative"), ("currency", "not_a_currency")];
    assert_eq!(wrong, expected(&[&[("name", "too_short"), ("units", "out_of_range")][..], &prices].concat()));
    let new = NewPackage { service: house.service.id.clone(), name: "x".repeat(101), price };
    let wrong = refused(app.booking.create_package(tenant, &house.property, new, now()).await);
    assert_eq!(wrong, expected(&[&[("name", "too_long")][..], &prices].concat()));
    for currency in ["", "EU", "EURO", "ÄU", "E1R"] {
        let new = NewService { price: Money { minor: 1, currency: currency.to_owned() }, ..service() };
        let wrong = refused(app.booking.create_service(tenant, &house.property, new, now()).await);
        assert_eq!(wrong, expected(&[("currency", "not_a_currency")]), "{currency:?}");
    }
    let many = NewService { units: 10_001, ..service() };
    let wrong = refused(app.booking.create_service(tenant, &house.property, many, now()).await);
    assert_eq!(wrong, expected(&[("units", "out_of_range")]));
}

async fn service_belongs_to_a_property_of_the_tenant(app: TestBooking) {
    let (acme, other) = (app.house("acme", 1).await, app.house("other", 1).await);
    let unknown = PropertyId::parse("prp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB").unwrap();
    for property in [&other.property, &unknown] {
        let made = app.booking.create_service(&acme.caller.tenant, property, service(), now()).await;
        assert!(matches!(made, Err(Error::NotFound(Thing::Property))), "{made:?}");
    }
}

async fn package_belongs_to_a_service_of_its_property(app: TestBooking) {
    let (acme, other) = (app.house("acme", 1).await, app.house("other", 1).await);
    let unknown = ServiceId::parse("svc_01JCQ4Y2V9ZK3T5N6R7S8W9XAB").unwrap();
    let attempts = [
        (&acme.property, &unknown, Thing::Service),
        (&acme.property, &other.service.id, Thing::Service),
        (&acme.other_property, &acme.service.id, Thing::Service),
        (&other.property, &other.service.id, Thing::Property),
    ];
    for (property, service, missing) in attempts {
        let new = NewPackage { service: service.clone(), name: "Breakfast".to_owned(), price: euros(1) };
        let made = app.booking.create_package(&acme.caller.tenant, property, new, now()).await;
        assert!(matches!(made, Err(Error::NotFound(thing)) if thing == missing), "{made:?}");
    }
}

async fn offer_with_the_same_name_is_not_created_twice(app: TestBooking) {
    let house = app.house("acme", 1).await;
    let (tenant, booking) = (&house.caller.tenant, &app.booking);
    let made = booking.ensure_service(tenant, &house.property, service(), now()).await.unwrap();
    let Ensured::Created(suite) = made else { panic!("{made:?}") };
    let renamed = NewService { name: " Suite ".to_owned(), units: 9, ..service() };
    let again = booking.ensure_service(tenant, &house.property, renamed, now()).await.unwrap();
    assert_eq!(again, Ensured::Existing(suite.clone()));
    let elsewhere = booking.ensure_service(tenant, &house.other_property, service(), now()).await.unwrap();
    assert!(matches!(elsewhere, Ensured::Created(_)), "{elsewhere:?}");

    let new = || NewPackage { service: suite.id.clone(), name: "Breakfast".to_owned(), price: euros(1) };
    let package = booking.ensure_package(tenant, &house.property, new(), now()).await.unwrap();
    let Ensured::Created(package) = package else { panic!("{package:?}") };
    let again = booking.ensure_package(tenant, &house.property, new(), now()).await.unwrap();
    assert_eq!(again, Ensured::Existing(package));

    booking.set_service_archived(&suite.id, Some(now())).await.unwrap();
    let after = booking.ensure_service(tenant, &house.property, service(), now()).await.unwrap();
    assert!(matches!(after, Ensured::Created(_)), "an archived one does not count: {after:?}");
}

async fn edited_offer_counts_for_new_reservations(app: TestBooking) {
    let house = app.house("acme", 1).await;
    let before = app.reserve(&house, &house.stay(1, 2)).await.unwrap();
    let edit = ServiceEdit { units: Some(2), price: Some(euros(500)), ..ServiceEdit::default() };
    let edited = app.booking.edit_service(&house.service.id, edit).await.unwrap();
    assert_eq!((edited.name.as_str(), edited.units), ("Double room", 2));
    assert_eq!(app.reserve(&house, &house.stay(1, 2)).await.unwrap().price, euros(500));
    let kept = app.booking.reservation(&house.caller, &before.id).await.unwrap();
    assert_eq!(kept.price, before.price);

    let package = app.package(&house, "Breakfast").await;
    let edit = PackageEdit { name: Some("Half board".to_owned()), ..PackageEdit::default() };
    let edited = app.booking.edit_package(&package.id, edit).await.unwrap();
    assert_eq!((edited.name.as_str(), &edited.price), ("Half board", &package.price));

    let edit = ServiceEdit { name: Some("x".to_owned()), units: Some(0), price: None };
    let wrong = refused(app.booking.edit_service(&house.service.id, edit).await);
    assert_eq!(wrong.iter().map(|(field, _)| *field).collect::<Vec<_>>(), ["name", "units"]);
    let unknown = ServiceId::parse("svc_01JCQ4Y2V9ZK3T5N6R7S8W9XAB").unwrap();
    let edited = app.booking.edit_service(&unknown, ServiceEdit::default()).await;
    assert!(matches!(edited, Err(Error::NotFound(Thing::Service))), "{edited:?}");
}

async fn archived_offer_is_neither_listed_nor_reserved(app: TestBooking) {
    let house = app.house("acme", 5).await;
    let package = app.package(&house, "Breakfast").await;
    let of_package = NewReservation { offer: Offer::Package(package.id.clone()), ..house.stay(1, 2) };
    let reserved = app.reserve(&house, &of_package).await.unwrap();

    app.booking.set_package_archived(&package.id, Some(now())).await.unwrap();
    assert!(matches!(app.reserve(&house, &of_package).await, Err(Error::NotFound(Thing::Package))));
    assert!(app.reserve(&house, &house.stay(1, 2)).await.is_ok(), "the service is still offered");
    app.booking.set_package_archived(&package.id, None).await.unwrap();
    assert!(app.reserve(&house, &of_package).await.is_ok());

    let archived = app.booking.set_service_archived(&house.service.id, Some(now())).await.unwrap();
    let later = app.booking.set_service_archived(&house.service.id, Some(now() + chrono::TimeDelta::days(1))).await;
    assert_eq!(later.unwrap().archived_at, archived.archived_at, "twice is once");
    assert!(matches!(app.reserve(&house, &house.stay(1, 2)).await, Err(Error::NotFound(Thing::Service))));
    assert!(matches!(app.reserve(&house, &of_package).await, Err(Error::NotFound(_))));
    let (caller, property) = (&house.caller, &house.property);
    assert_eq!(app.booking.services(caller, property, &first_page()).await.unwrap().items, []);
    assert_eq!(app.booking.packages(caller, property, &first_page()).await.unwrap().items, []);
    let today = now().date_naive();
    assert_eq!(app.booking.availability(caller, property, today, today).await.unwrap(), []);
    assert_eq!(app.booking.all_services(&caller.tenant, property).await.unwrap(), [archived]);
    assert_eq!(app.booking.reservation(caller, &reserved.id).await.unwrap(), reserved, "reservations stay");
}
