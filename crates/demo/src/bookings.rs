//! Realistic bookings for the demo: the same on every run, except for the ids.

use booking::{
    Booking, Error, Guest, Money, NewPackage, NewService, Package, Reservation, Service, Status, Stay, find_full_night,
    new_id,
};
use chrono::{DateTime, Days, NaiveDate, SubsecRound, TimeDelta, Utc};
use domain::id::{PropertyId, TenantId};

const OPENED_DAYS_AGO: i64 = 400;

/// Name, units and price in cents, at the first property. The others are a little larger and dearer.
const SERVICES: [(&str, u32, i64); 3] =
    [("Double room", 12, 12_900), ("Suite", 4, 24_900), ("Sea-view room", 6, 16_900)];

/// Name, index of its service in [`SERVICES`], and surcharge.
const PACKAGES: [(&str, usize, i64); 2] = [("Double room with breakfast", 0, 2_000), ("Suite with dinner", 1, 9_500)];

const GUESTS: [&str; 22] = [
    "Amelie Roth",
    "Ben Okafor",
    "Carla Nunes",
    "Dara Quinn",
    "Elin Berg",
    "Farid Haddad",
    "Greta Lind",
    "Hugo Marchetti",
    "Ines Caldeira",
    "Jonah Pike",
    "Kaori Endo",
    "Luca Brandt",
    "Mira Novak",
    "Nils Aker",
    "Olga Petrenko",
    "Pablo Rey",
    "Quentin Faure",
    "Rosa Almeida",
    "Samir Patel",
    "Tove Holm",
    "Uma Rao",
    "Viktor Szabo",
];

/// Gives a property services, packages and reservations.
pub(crate) async fn fill_property(
    booking: &Booking,
    tenant: &TenantId,
    property: &PropertyId,
    number: u32,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    // Each a minute after the one before, so that the lists have one order.
    let mut opened = now - TimeDelta::days(OPENED_DAYS_AGO);
    let mut services = Vec::new();
    for (name, units, cents) in SERVICES {
        let price = euros(cents + 1_500 * i64::from(number % 3));
        let new = NewService { name: name.to_owned(), units: units + 2 * (number % 3), price };
        services.push(booking.create_service(tenant, property, new, opened).await?);
        opened += TimeDelta::minutes(1);
    }
    let mut packages = Vec::new();
    for (name, service, added) in PACKAGES {
        let Service { id, price, .. } = &services[service];
        let new = NewPackage { service: id.clone(), name: name.to_owned(), price: euros(price.minor + added) };
        packages.push(booking.create_package(tenant, property, new, opened).await?);
        opened += TimeDelta::minutes(1);
    }
    let mut all = Vec::new();
    for (seed, service) in (number * 3..).zip(&services) {
        let package = packages.iter().find(|package| package.service == service.id);
        all.extend(reservations(service, package, seed, now));
    }
    all.sort_by_key(|reservation| reservation.created_at);
    booking.import_reservations(tenant, &all).await
}

fn euros(cents: i64) -> Money {
    Money { minor: cents, currency: "EUR".to_owned() }
}

/// The reservations of one service. Another seed makes others.
fn reservations(service: &Service, package: Option<&Package>, seed: u32, now: DateTime<Utc>) -> Vec<Reservation> {
    let reservation = |(number, stay): (u32, Stay)| {
        let package = package.filter(|_| number % 3 == 1);
        let price = package.map_or(&service.price, |package| &package.price);
        let nights = u32::try_from((stay.departure - stay.arrival).num_days()).unwrap_or_default();
        let ago = TimeDelta::hours(i64::from(1 + (number * 31 + seed * 7) % 900)) + TimeDelta::minutes(number.into());
        let created_at = (now - ago).trunc_subsecs(3);
        Some(Reservation {
            id: new_id(created_at),
            property: service.property.clone(),
            service: service.id.clone(),
            package: package.map(|package| package.id.clone()),
            guest: guest(number + seed * 5),
            arrival: stay.arrival,
            departure: stay.departure,
            units: stay.units,
            status: if number % 13 == 12 { Status::Cancelled } else { Status::Confirmed },
            price: price.times(stay.units, nights)?,
            created_at,
            created_by: "operator".to_owned(),
        })
    };
    (0..).zip(stays(service.units, seed, now.date_naive())).filter_map(reservation).collect()
}

/// Stays here and there in the coming two months, and a long weekend for which hardly anything is left.
fn stays(units: u32, seed: u32, today: NaiveDate) -> Vec<Stay> {
    let weekend = (1..units).map(|_| (16 + seed * 5 % 30, 3, 1));
    let scattered =
        (0..units * 6).map(|n| ((n * 7 + seed * 11) % 57, 1 + (n * 3 + seed) % 5, 1 + u32::from(n.is_multiple_of(8))));
    let mut stays = Vec::new();
    for (days, nights, units_wanted) in weekend.chain(scattered) {
        let arrival = today + Days::new(u64::from(days));
        let stay = Stay { arrival, departure: arrival + Days::new(u64::from(nights)), units: units_wanted };
        if find_full_night(units, &stays, &stay).is_none() {
            stays.push(stay);
        }
    }
    stays
}

/// Every third guest leaves no address.
fn guest(number: u32) -> Guest {
    let name = GUESTS[number as usize % GUESTS.len()];
    let email = || format!("{}@guests.example", name.to_lowercase().replace(' ', "."));
    Guest { name: name.to_owned(), email: (!number.is_multiple_of(3)).then(email) }
}
