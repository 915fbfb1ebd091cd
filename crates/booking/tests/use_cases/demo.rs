use booking::{Page, Reservation, Status};
use chrono::Days;
use domain::{caller::Caller, id::PropertyId};

use super::fixture::{House, TestBooking, first_page, now};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestBooking:
    demo_is_believable,
    demo_is_the_same_every_time,
}

/// A tenant with two properties that have nothing yet, filled.
async fn filled(app: &TestBooking, slug: &str) -> (Caller, Vec<PropertyId>) {
    let House { caller, property, other_property, service } = app.house(slug, 1).await;
    app.execute(&format!("DELETE FROM service WHERE id = '{}'", service.id)).await;
    let properties = vec![property, other_property];
    app.booking.fill_with_demo(&caller.tenant, &properties, now()).await.unwrap();
    (caller, properties)
}

async fn all(app: &TestBooking, caller: &Caller) -> Vec<Reservation> {
    let mut all = Vec::new();
    let mut page = first_page();
    loop {
        let listed = app.booking.reservations(caller, None, &page).await.unwrap();
        all.extend(listed.items);
        page = Page { after: listed.next, ..page };
        if page.after.is_none() {
            return all;
        }
    }
}

async fn demo_is_believable(app: TestBooking) {
    let (caller, properties) = filled(&app, "acme").await;
    let today = now().date_naive();
    for property in &properties {
        let services = app.booking.services(&caller, property, &first_page()).await.unwrap().items;
        let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(names, ["Double room", "Suite", "Sea-view room"]);
        let packages = app.booking.packages(&caller, property, &first_page()).await.unwrap().items;
        assert!(packages.len() == 2 && packages[0].price.minor > services[0].price.minor);
        let days = app.booking.availability(&caller, property, today, today + Days::new(60)).await.unwrap();
        assert!(days.iter().all(|day| day.reserved + day.available == day.units), "nothing is overbooked");
        let nearly_full = days.iter().filter(|day| day.available <= 1 && day.units > 4).count();
        let half_empty = days.iter().filter(|day| day.available * 2 > day.units).count();
        assert!(nearly_full >= 3 && half_empty >= 30, "{nearly_full} nearly full, {half_empty} half empty");
    }
    let made = all(&app, &caller).await;
    assert!(made.iter().any(|reservation| reservation.package.is_some()));
    assert!(made.iter().any(|reservation| reservation.status == Status::Cancelled));
    assert!(made.iter().all(|reservation| reservation.created_at < now() && reservation.arrival >= today));

    app.booking.fill_with_demo(&caller.tenant, &properties, now()).await.unwrap();
    assert_eq!(all(&app, &caller).await, made, "filling again changes nothing");
}

async fn demo_is_the_same_every_time(app: TestBooking) {
    let (acme, other) = (filled(&app, "acme").await.0, filled(&app, "other").await.0);
    let told = |reservation: Reservation| {
        let Reservation { guest, arrival, departure, units, price, created_at, .. } = reservation;
        (created_at, guest.name, arrival, departure, units, price.minor)
    };
    let mut both = Vec::new();
    for caller in [acme, other] {
        let mut made: Vec<_> = all(&app, &caller).await.into_iter().map(told).collect();
        // Of two that were made in the same moment, either may come first.
        made.sort();
        both.push(made);
    }
    assert!(both[0].len() > 100, "{}", both[0].len());
    assert_eq!(both[0], both[1]);
}
