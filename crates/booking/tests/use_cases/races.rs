use booking::{Booking, Error, NewReservation, Offer};

use super::fixture::{House, TestBooking, december, now};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestBooking:
    fifty_concurrent_reservations_of_the_last_unit_make_one,
    fifty_concurrent_reservations_of_two_of_five_units_make_two,
    packages_and_services_race_for_the_same_units,
    stays_that_share_a_night_race_for_it,
    lock_free_writer_cannot_overbook,
}

/// Sends all of them concurrently from two nodes, and counts the successful ones.
async fn race(app: &TestBooking, house: &House, news: impl Iterator<Item = NewReservation>) -> usize {
    race_between([app.booking.clone(), app.other_node()], app, house, news).await
}

async fn race_between(
    nodes: [Booking; 2],
    app: &TestBooking,
    house: &House,
    news: impl Iterator<Item = NewReservation>,
) -> usize {
    let attempts: Vec<_> = news
        .zip(nodes.into_iter().cycle())
        .map(|(new, node)| {
            let caller = house.caller.clone();
            tokio::spawn(async move { node.reserve(&caller, &new, None, now(), || true).await })
        })
        .collect();
    let mut made = 0;
    for attempt in attempts {
        match attempt.await.unwrap() {
            Ok(_) => made += 1,
            Err(Error::SoldOut { .. }) => {}
            Err(other) => panic!("another refusal: {other}"),
        }
    }
    let kept = app.texts("SELECT id FROM reservation").await.len();
    assert_eq!(made, kept, "what was answered and what is kept");
    made
}

async fn fifty_concurrent_reservations_of_the_last_unit_make_one(app: TestBooking) {
    let house = app.house("acme", 1).await;
    assert_eq!(race(&app, &house, (0..50).map(|_| house.stay(1, 3))).await, 1);
}

async fn fifty_concurrent_reservations_of_two_of_five_units_make_two(app: TestBooking) {
    let house = app.house("acme", 5).await;
    let two = NewReservation { units: 2, ..house.stay(1, 3) };
    assert_eq!(race(&app, &house, (0..50).map(|_| two.clone())).await, 2);
}

async fn packages_and_services_race_for_the_same_units(app: TestBooking) {
    let house = app.house("acme", 3).await;
    let package = app.package(&house, "With breakfast").await;
    let offers = [Offer::Package(package.id), Offer::Service(house.service.id.clone())];
    let news = (0..50).map(|n| NewReservation { offer: offers[n % 2].clone(), ..house.stay(1, 3) });
    assert_eq!(race(&app, &house, news).await, 3);
}

async fn stays_that_share_a_night_race_for_it(app: TestBooking) {
    let house = app.house("acme", 1).await;
    // All of them take the night from the 10th to the 11th.
    let news = (0..30).map(|n| house.stay(10 - n % 5, 11 + n % 3));
    assert_eq!(race(&app, &house, news).await, 1);
    let days = app.booking.availability(&house.caller, &house.property, december(1), december(31)).await.unwrap();
    assert!(days.iter().all(|day| day.reserved <= 1), "{days:?}");
}

async fn lock_free_writer_cannot_overbook(app: TestBooking) {
    let house = app.house("acme", 1).await;
    let nodes = [app.booking.clone(), app.lock_free_node().await];
    assert_eq!(race_between(nodes, &app, &house, (0..10).map(|_| house.stay(1, 3))).await, 1);
}
