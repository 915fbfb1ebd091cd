use std::collections::HashSet;

use booking::{Listed, Page};

use super::fixture::{House, TestBooking, first_page, minutes_later, refused};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestBooking:
    reservations_come_newest_first,
    paging_finds_each_reservation_once_despite_inserts,
    paging_finds_each_offer_once_despite_inserts,
    last_page_has_no_next,
    invalid_pages_are_refused,
}

async fn reserve_at(app: &TestBooking, house: &House, minute: i64) -> String {
    let new = house.stay(1, 3);
    let reserved = app.booking.reserve(&house.caller, &new, None, minutes_later(minute), || true).await.unwrap();
    reserved.reservation.id.to_string()
}

async fn reservations_come_newest_first(app: TestBooking) {
    let house = app.house("acme", 100).await;
    let mut made = Vec::new();
    for minute in 0..5 {
        made.push(reserve_at(&app, &house, minute).await);
    }
    made.reverse();
    let listed = app.booking.reservations(&house.caller, Some(&house.property), &first_page()).await.unwrap();
    assert_eq!(listed.items.iter().map(|item| item.id.to_string()).collect::<Vec<_>>(), made);
}

async fn paging_finds_each_reservation_once_despite_inserts(app: TestBooking) {
    let house = app.house("acme", 100).await;
    let mut old = HashSet::new();
    for minute in 0..11 {
        old.insert(reserve_at(&app, &house, minute).await);
    }
    for property in [None, Some(&house.property)] {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = Page { limit: 3, after };
            let listed = app.booking.reservations(&house.caller, property, &page).await.unwrap();
            seen.extend(listed.items.iter().map(|item| item.id.to_string()));
            after = listed.next;
            if after.is_none() {
                break;
            }
            reserve_at(&app, &house, 100 + i64::try_from(seen.len()).unwrap()).await;
        }
        let once: HashSet<String> = seen.iter().cloned().collect();
        assert_eq!(once.len(), seen.len(), "no row twice");
        assert!(once.is_superset(&old), "none of the old ones lost");
    }
}

async fn paging_finds_each_offer_once_despite_inserts(app: TestBooking) {
    let house = app.house("acme", 1).await;
    let mut old = HashSet::from([house.service.id.to_string()]);
    for number in 0..6 {
        let name = format!("Room {number}");
        old.insert(app.service(&house.caller, &house.property, &name, 1).await.id.to_string());
        old.insert(app.package(&house, &name).await.id.to_string());
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = Page { limit: 2, after };
        let listed = app.booking.services(&house.caller, &house.property, &page).await.unwrap();
        seen.extend(listed.items.iter().map(|item| item.id.to_string()));
        after = listed.next;
        if after.is_none() {
            break;
        }
        if seen.len() < 7 {
            app.service(&house.caller, &house.property, "Newcomer", 1).await;
        }
    }
    loop {
        let page = Page { limit: 2, after };
        let listed = app.booking.packages(&house.caller, &house.property, &page).await.unwrap();
        seen.extend(listed.items.iter().map(|item| item.id.to_string()));
        after = listed.next;
        if after.is_none() {
            break;
        }
    }
    let once: HashSet<String> = seen.iter().cloned().collect();
    assert_eq!(once.len(), seen.len(), "no row twice");
    assert!(once.is_superset(&old), "none of the old ones lost");
}

async fn last_page_has_no_next(app: TestBooking) {
    let house = app.house("acme", 100).await;
    let none = app.booking.reservations(&house.caller, None, &first_page()).await.unwrap();
    assert_eq!(none, Listed::default());
    for minute in 0..4 {
        reserve_at(&app, &house, minute).await;
    }
    let first = app.booking.reservations(&house.caller, None, &Page { limit: 2, after: None }).await.unwrap();
    assert_eq!(first.next, Some(first.items[1].id.to_string()));
    let second = app.booking.reservations(&house.caller, None, &Page { limit: 2, after: first.next }).await.unwrap();
    assert_eq!((second.items.len(), second.next), (2, None), "also when the page is full");
}

async fn invalid_pages_are_refused(app: TestBooking) {
    let house = app.house("acme", 1).await;
    let both = [("limit", "out_of_range".to_owned()), ("cursor", "not_a_cursor".to_owned())];
    for limit in [0, 201] {
        // An id of another kind, and text that PostgreSQL rejects.
        for after in [house.service.id.to_string(), "res_\0".to_owned()] {
            let page = Page { limit, after: Some(after) };
            assert_eq!(refused(app.booking.reservations(&house.caller, None, &page).await), both);
            assert_eq!(refused(app.booking.packages(&house.caller, &house.property, &page).await), both);
        }
        let page = Page { limit, after: Some("svc_".to_owned()) };
        assert_eq!(refused(app.booking.services(&house.caller, &house.property, &page).await), both);
    }
    let past = Page { limit: 1, after: Some("svc_7ZZZZZZZZZZZZZZZZZZZZZZZZZ".to_owned()) };
    let listed = app.booking.services(&house.caller, &house.property, &past).await.unwrap();
    assert_eq!(listed, Listed::default());
}
