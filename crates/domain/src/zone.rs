//! Time zones: converts a tenant's days to UTC.

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;

use crate::{
    expiration::{Expiration, ExpiresAt},
    tenant::Tenant,
};

/// 9999-12-31T23:59:59.999Z. Years of five digits are written with a sign in front, which SQLite's text sorts first.
const LAST_INSTANT: DateTime<Utc> = match DateTime::from_timestamp_millis(253_402_300_799_999) {
    Some(instant) => instant,
    None => DateTime::<Utc>::MAX_UTC,
};

/// An IANA time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeZone(Tz);

impl TimeZone {
    /// The zone used outside of any tenant.
    pub const UTC: Self = Self(Tz::UTC);

    /// The zone of this name, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }

    /// The names of all zones, in the order of the alphabet.
    pub fn names() -> impl Iterator<Item = &'static str> {
        chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())
    }

    /// The tenant's zone.
    #[must_use]
    pub fn of(tenant: &Tenant) -> Self {
        Self::named_or_utc(&tenant.time_zone)
    }

    /// UTC, should the name have gone from the tables since it was stored.
    pub fn named_or_utc(name: &str) -> Self {
        Self::named(name).unwrap_or(Self::UTC)
    }

    #[must_use]
    pub fn moment(self, utc: DateTime<Utc>) -> ExpiresAt {
        ExpiresAt { utc, local: self.local(utc) }
    }

    /// Returns the local time in the zone.
    #[must_use]
    pub fn local(self, utc: DateTime<Utc>) -> NaiveDateTime {
        utc.with_timezone(&self.0).naive_local()
    }

    /// Returns the start of a day in the zone. It is not midnight where the clocks skip it.
    pub fn begin_of(self, date: NaiveDate) -> DateTime<Utc> {
        let midnight = date.and_time(NaiveTime::MIN);
        let begin = self.0.from_local_datetime(&midnight).earliest();
        begin.map_or_else(|| self.instant(midnight), |instant| instant.to_utc())
    }

    /// Returns the instant of an expiration, and the last of the year 9999 for one that is in the next year by UTC.
    pub fn resolve(self, expiration: Expiration) -> Option<DateTime<Utc>> {
        let instant = match expiration {
            Expiration::Never => return None,
            Expiration::EndOfDay(date) => self.instant(date.and_time(end_of_day())),
            Expiration::At(time) => self.instant(time),
            Expiration::Instant(instant) => instant,
        };
        Some(instant.min(LAST_INSTANT))
    }

    /// A time that the clocks show twice means the later one; one that they skip means an hour on.
    fn instant(self, local: NaiveDateTime) -> DateTime<Utc> {
        let exact = self.0.from_local_datetime(&local).latest();
        let shifted = || self.0.from_local_datetime(&(local + Duration::hours(1))).latest();
        exact.or_else(shifted).map_or_else(|| local.and_utc(), |instant| instant.to_utc())
    }
}

impl std::fmt::Display for TimeZone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name())
    }
}

fn end_of_day() -> NaiveTime {
    NaiveTime::from_hms_milli_opt(23, 59, 59, 999).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_begins_and_ends_in_the_tenants_time_zone() {
        for (zone, expiration, expected) in [
            ("Europe/Lisbon", "2026-12-31T23:59:59.999", "2026-12-31T23:59:59.999Z"),
            ("Europe/Lisbon", "2027-07-31T23:59:59.999", "2027-07-31T22:59:59.999Z"),
            ("Pacific/Auckland", "2026-12-31T23:59:59.999", "2026-12-31T10:59:59.999Z"),
            // Shown twice in Berlin on the night the clocks go back, and skipped when they go forward.
            ("Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T01:30:00Z"),
            ("Europe/Berlin", "2027-03-28T02:30:00", "2027-03-28T01:30:00Z"),
        ] {
            let local: NaiveDateTime = expiration.parse().unwrap();
            let instant = TimeZone::named(zone).unwrap().instant(local);
            assert_eq!(instant, expected.parse::<DateTime<Utc>>().unwrap(), "{expiration} in {zone}");
        }
        for (zone, date, expected) in [
            ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z"),
            // Midnight itself is skipped in Beirut when the clocks go forward, and shown twice in Havana when they go back.
            ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00Z"),
            ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"),
        ] {
            let begin = TimeZone::named(zone).unwrap().begin_of(date.parse().unwrap());
            assert_eq!(begin, expected.parse::<DateTime<Utc>>().unwrap(), "{date} in {zone}");
        }
        let lisbon = TimeZone::named("Europe/Lisbon").unwrap();
        let date = "2027-01-31".parse().unwrap();
        assert_eq!(lisbon.resolve(Expiration::EndOfDay(date)).unwrap().to_string(), "2027-01-31 23:59:59.999 UTC");
        assert_eq!(lisbon.resolve(Expiration::Never), None);
    }

    #[test]
    fn last_day_of_9999_stays_in_9999_everywhere() {
        for (zone, expected) in [
            ("Pacific/Kiritimati", "9999-12-31T09:59:59.999Z"),
            ("UTC", "9999-12-31T23:59:59.999Z"),
            ("America/Los_Angeles", "9999-12-31T23:59:59.999Z"),
        ] {
            let zone = TimeZone::named(zone).unwrap();
            let end_of_day = zone.resolve(Expiration::EndOfDay("9999-12-31".parse().unwrap()));
            assert_eq!(end_of_day, Some(expected.parse().unwrap()), "{zone}");
        }
        let evening = Expiration::At("9999-12-31T20:00:00".parse().unwrap());
        assert_eq!(TimeZone::named("America/Los_Angeles").unwrap().resolve(evening), Some(LAST_INSTANT));
    }
}
