//! Times in words, where the tenant is.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Timelike, Utc};
use keyring::TimeZone;

/// `31 Jan 2027`
pub(crate) fn day(date: NaiveDate) -> String {
    date.format("%-d %b %Y").to_string()
}

/// `31 Jan`
pub(crate) fn short_day(local: NaiveDateTime) -> String {
    local.format("%-d %b").to_string()
}

/// `18:00`
pub(crate) fn hour(local: NaiveDateTime) -> String {
    local.format("%H:%M").to_string()
}

/// `31 Jan 2027`
pub(crate) fn date(instant: DateTime<Utc>, zone: TimeZone) -> String {
    day(zone.local(instant).date())
}

/// `31 Jan 2027, 18:00`
pub(crate) fn exact(instant: DateTime<Utc>, zone: TimeZone) -> String {
    zone.local(instant).format("%-d %b %Y, %H:%M").to_string()
}

/// `31 Jan 2027, 18:00:09`
pub(crate) fn to_the_second(instant: DateTime<Utc>, zone: TimeZone) -> String {
    zone.local(instant).format("%-d %b %Y, %H:%M:%S").to_string()
}

/// The day alone when something ends with the day.
pub(crate) fn day_or_exact(instant: DateTime<Utc>, zone: TimeZone) -> String {
    let local = zone.local(instant);
    if local.hour() == 23 && local.minute() == 59 { day(local.date()) } else { exact(instant, zone) }
}

/// `2 days ago`, `in 3 hours`
pub(crate) fn relative(instant: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let distance = instant - now;
    let amount = largest_unit(distance.abs());
    match (amount, distance > TimeDelta::zero()) {
        (None, true) => "in a moment".to_owned(),
        (None, false) => "just now".to_owned(),
        (Some(amount), true) => format!("in {amount}"),
        (Some(amount), false) => format!("{amount} ago"),
    }
}

fn largest_unit(distance: TimeDelta) -> Option<String> {
    let units = [
        (distance.num_days() / 365, "year"),
        (distance.num_days() / 30, "month"),
        (distance.num_days(), "day"),
        (distance.num_hours(), "hour"),
        (distance.num_minutes(), "minute"),
    ];
    let (count, unit) = units.into_iter().find(|(count, _)| *count > 0)?;
    let plural = if count == 1 { "" } else { "s" };
    Some(format!("{count} {unit}{plural}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_told_in_their_largest_unit() {
        let now: DateTime<Utc> = "2026-11-21T12:00:00Z".parse().unwrap();
        for (instant, expected) in [
            ("2026-11-21T12:00:00Z", "just now"),
            ("2026-11-21T11:59:01Z", "just now"),
            ("2026-11-21T11:59:00Z", "1 minute ago"),
            ("2026-11-21T10:00:00Z", "2 hours ago"),
            ("2026-11-19T11:00:00Z", "2 days ago"),
            ("2026-10-01T12:00:00Z", "1 month ago"),
            ("2024-11-20T12:00:00Z", "2 years ago"),
            ("2026-11-21T12:00:30Z", "in a moment"),
            ("2026-11-28T12:00:00Z", "in 7 days"),
        ] {
            assert_eq!(relative(instant.parse().unwrap(), now), expected, "{instant}");
        }
    }

    #[test]
    fn what_ends_with_the_day_is_told_by_the_day() {
        let lisbon = TimeZone::named("Europe/Lisbon").unwrap();
        assert_eq!(day_or_exact("2027-07-31T22:59:59.999Z".parse().unwrap(), lisbon), "31 Jul 2027");
        assert_eq!(day_or_exact("2027-07-31T17:00:00Z".parse().unwrap(), lisbon), "31 Jul 2027, 18:00");
    }
}
