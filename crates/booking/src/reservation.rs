//! Reservations, and the rules that a new one has to keep.

use chrono::{DateTime, Days, Months, NaiveDate, Utc};
use domain::{
    id::{PackageId, PropertyId, ReservationId, ServiceId},
    person::Email,
    text::Length,
};

use crate::{
    error::{Error, Thing},
    field::{Errors, FieldError},
    money::Money,
    occupancy::Stay,
};

const GUEST_NAME: Length = Length { least: 1, most: 200 };
const MAX_RESERVED_UNITS: u32 = 1000;
const MAX_NIGHTS: i64 = 365;
const MAX_DAYS_AHEAD: Months = Months::new(5 * 12);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    pub id: ReservationId,
    pub property: PropertyId,
    pub service: ServiceId,
    /// The reserved package, if it was one.
    pub package: Option<PackageId>,
    pub guest: Guest,
    pub arrival: NaiveDate,
    /// The first day that the guest is gone.
    pub departure: NaiveDate,
    pub units: u32,
    pub status: Status,
    /// For all units and nights together, as it was when it was reserved.
    pub price: Money,
    pub created_at: DateTime<Utc>,
    /// The id of the key or person.
    pub created_by: String,
}

/// Only confirmed reservations use units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Confirmed,
    Cancelled,
}

impl Status {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Cancelled => "cancelled",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Confirmed, Self::Cancelled].into_iter().find(|status| status.as_str() == text)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guest {
    pub name: String,
    pub email: Option<String>,
}

/// The reserved offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    Service(ServiceId),
    Package(PackageId),
}

impl Offer {
    pub(crate) const fn thing(&self) -> Thing {
        match self {
            Self::Service(_) => Thing::Service,
            Self::Package(_) => Thing::Package,
        }
    }
}

/// The input for a new reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReservation {
    pub property: PropertyId,
    pub offer: Offer,
    pub guest: Guest,
    pub arrival: NaiveDate,
    pub departure: NaiveDate,
    pub units: u32,
}

/// The validated guest and dates of a new reservation.
pub(crate) struct Visit {
    pub(crate) guest: Guest,
    pub(crate) stay: Stay,
    pub(crate) nights: u32,
}

impl NewReservation {
    pub(crate) fn checked(&self, now: DateTime<Utc>) -> Result<Visit, Error> {
        let mut errors = Errors::default();
        let guest = self.guest.checked(&mut errors);
        self.check_days(&mut errors, now.date_naive());
        let are_units = (1..=MAX_RESERVED_UNITS).contains(&self.units);
        errors.check(are_units, "units", "out_of_range", "Use a number from 1 to 1000.");
        let Self { arrival, departure, units, .. } = *self;
        let nights = u32::try_from((departure - arrival).num_days()).unwrap_or_default();
        Ok(errors.or(Visit { guest, stay: Stay { arrival, departure, units }, nights })?)
    }

    fn check_days(&self, errors: &mut Errors, today: NaiveDate) {
        // Somewhere in the world it is still the day before.
        let earliest = today.checked_sub_days(Days::new(1)).unwrap_or(today);
        let latest = today.checked_add_months(MAX_DAYS_AHEAD).unwrap_or(today);
        let nights = (self.departure - self.arrival).num_days();
        errors.check(self.arrival >= earliest, "arrival", "in_the_past", "Use today or a later day.");
        errors.check(self.arrival <= latest, "arrival", "too_far", "Use a day within the next five years.");
        errors.check(nights > 0, "departure", "not_after_arrival", "Use a day after the arrival.");
        errors.check(nights <= MAX_NIGHTS, "departure", "too_many_nights", "Reserve at most 365 nights at a time.");
    }
}

impl Guest {
    fn checked(&self, errors: &mut Errors) -> Self {
        let email = |text: &String| Email::parse(text).map_err(|refusal| FieldError::at("guest.email", refusal));
        Self {
            name: errors.text("guest.name", GUEST_NAME, &self.name),
            email: errors.collect(self.email.as_ref().map(email).transpose()).map(String::from),
        }
    }
}
