use booking::{DayAvailability, NewReservation};
use chrono::{Days, NaiveDate};

use super::fixture::{TestBooking, december, refused};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestBooking:
    each_day_is_counted,
    each_service_is_counted_by_itself,
    invalid_days_are_refused,
    longest_time_is_a_leap_year,
}

async fn each_day_is_counted(app: TestBooking) {
    let house = app.house("acme", 5).await;
    for (arrival, departure, units) in [(1, 4, 2), (3, 5, 1), (10, 12, 5)] {
        app.reserve(&house, &NewReservation { units, ..house.stay(arrival, departure) }).await.unwrap();
    }
    let cancelled = app.reserve(&house, &house.stay(1, 5)).await.unwrap();
    app.execute(&format!("UPDATE reservation SET status = 'cancelled' WHERE id = '{}'", cancelled.id)).await;
    let days = app.booking.availability(&house.caller, &house.property, december(2), december(5)).await.unwrap();
    let expected = [(2, 2, 3), (3, 3, 2), (4, 1, 4), (5, 0, 5)].map(|(day, reserved, available)| DayAvailability {
        date: december(day),
        service: house.service.id.clone(),
        units: 5,
        reserved,
        available,
    });
    assert_eq!(days, expected);
}

async fn each_service_is_counted_by_itself(app: TestBooking) {
    let house = app.house("acme", 5).await;
    let suite = app.service(&house.caller, &house.property, "Suite", 2).await;
    app.service(&house.caller, &house.other_property, "Elsewhere", 9).await;
    app.reserve(&house, &house.stay(1, 3)).await.unwrap();
    let days = app.booking.availability(&house.caller, &house.property, december(1), december(2)).await.unwrap();
    let dates: Vec<NaiveDate> = days.iter().map(|day| day.date).collect();
    assert_eq!(dates, [december(1), december(1), december(2), december(2)]);
    let of = |id| days.iter().filter(move |day| day.service == id).map(|day| (day.reserved, day.available)).collect();
    let (doubles, suites): (Vec<_>, Vec<_>) = (of(house.service.id.clone()), of(suite.id));
    assert_eq!((doubles, suites), (vec![(1, 4); 2], vec![(0, 2); 2]));
}

async fn invalid_days_are_refused(app: TestBooking) {
    let house = app.house("acme", 5).await;
    let asked = async |from, to| {
        let days = app.booking.availability(&house.caller, &house.property, from, to).await;
        refused(days).into_iter().map(|(field, code)| format!("{field} {code}")).collect::<Vec<_>>()
    };
    assert_eq!(asked(december(2), december(1)).await, ["to before_from"]);
    assert_eq!(asked(december(1), december(1) + Days::new(366)).await, ["to too_many_days"]);
    // Years that the databases do not support.
    assert_eq!(asked(NaiveDate::MIN, NaiveDate::MIN).await, ["from out_of_range", "to out_of_range"]);
    assert_eq!(asked(NaiveDate::MAX, NaiveDate::MAX).await, ["from out_of_range", "to out_of_range"]);
}

async fn longest_time_is_a_leap_year(app: TestBooking) {
    let house = app.house("acme", 5).await;
    let asked = async |from, to| {
        let days = app.booking.availability(&house.caller, &house.property, from, to).await.unwrap();
        assert_eq!(days.last().map(|day| day.date), Some(to));
        days.len()
    };
    assert_eq!(asked(december(1), december(1) + Days::new(365)).await, 366);
    assert_eq!(asked(december(1), december(1)).await, 1);
    let last = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap();
    assert_eq!(asked(last, last).await, 1);
}
