use booking::{Page, Reservation, Status};
use chrono::Days;
use domain::{caller::Caller, id::PropertyId};

use super::stage::{House, Stage, first_page, now};

on_both_databases! {
    demo_is_believable,
    demo_is_the_same_every_time,
}

/// A tenant with two properties that have nothing yet, filled.
async fn filled(stage: &Stage, slug: &str) -> (Caller, Vec<PropertyId>) {
    let House { caller, property, other_property, service } = stage.house(slug, 1).await;
    stage.execute(&format!("DELETE FROM service WHERE id = '{}'", service.id)).await;
    let properties = vec![property, other_property];
    stage.booking.fill_with_demo(&caller.tenant, &properties, now()).await.unwrap();
    (caller, properties)
}

async fn all(stage: &Stage, caller: &Caller) -> Vec<Reservation> {
    let mut all = Vec::new();
    let mut page = first_page();
    loop {
        let listed = stage.booking.reservations(caller, None, &page).await.unwrap();
        all.extend(listed.items);
        page = Page { after: listed.next, ..page };
        if page.after.is_none() {
            return all;
        }
    }
}

async fn demo_is_believable(stage: Stage) {
    let (caller, properties) = filled(&stage, "acme").await;
    let today = now().date_naive();
    for property in &properties {
        let services = stage.booking.services(&caller, property, &first_page()).await.unwrap().items;
        let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(names, ["Double room", "Suite", "Sea-view room"]);
        let packages = stage.booking.packages(&caller, property, &first_page()).await.unwrap().items;
        assert!(packages.len() == 2 && packages[0].price.minor > services[0].price.minor);
        let days = stage.booking.availability(&caller, property, today, today + Days::new(60)).await.unwrap();
        assert!(days.iter().all(|day| day.reserved + day.available == day.units), "nothing is overbooked");
        let nearly_full = days.iter().filter(|day| day.available <= 1 && day.units > 4).count();
        let half_empty = days.iter().filter(|day| day.available * 2 > day.units).count();
        assert!(nearly_full >= 3 && half_empty >= 30, "{nearly_full} nearly full, {half_empty} half empty");
    }
    let made = all(&stage, &caller).await;
    assert!(made.iter().any(|reservation| reservation.package.is_some()));
    assert!(made.iter().any(|reservation| reservation.status == Status::Cancelled));
    assert!(made.iter().all(|reservation| reservation.created_at < now() && reservation.arrival >= today));

    stage.booking.fill_with_demo(&caller.tenant, &properties, now()).await.unwrap();
    assert_eq!(all(&stage, &caller).await, made, "filling again changes nothing");
}

async fn demo_is_the_same_every_time(stage: Stage) {
    let (acme, other) = (filled(&stage, "acme").await.0, filled(&stage, "other").await.0);
    let told = |reservation: Reservation| {
        let Reservation { guest, arrival, departure, units, price, created_at, .. } = reservation;
        (created_at, guest.name, arrival, departure, units, price.minor)
    };
    let mut both = Vec::new();
    for caller in [acme, other] {
        let mut made: Vec<_> = all(&stage, &caller).await.into_iter().map(told).collect();
        // Of two that were made in the same moment, either may come first.
        made.sort();
        both.push(made);
    }
    assert!(both[0].len() > 100, "{}", both[0].len());
    assert_eq!(both[0], both[1]);
}
