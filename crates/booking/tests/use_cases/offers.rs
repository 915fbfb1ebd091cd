use booking::{Error, Money, NewPackage, NewService, Thing};
use domain::id::{Id, PropertyId, ServiceId};

use super::fixture::{TestBooking, euros, first_page, now, refused};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestBooking:
    offers_are_stored_as_created,
    all_invalid_fields_are_reported_together,
    service_belongs_to_a_property_of_the_tenant,
    package_belongs_to_a_service_of_its_property,
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
        (&acme.property, &unknown),
        (&acme.property, &other.service.id),
        (&acme.other_property, &acme.service.id),
        (&other.property, &other.service.id),
    ];
    for (property, service) in attempts {
        let new = NewPackage { service: service.clone(), name: "Breakfast".to_owned(), price: euros(1) };
        let made = app.booking.create_package(&acme.caller.tenant, property, new, now()).await;
        assert!(matches!(made, Err(Error::NotFound(Thing::Service))), "{made:?}");
    }
}
