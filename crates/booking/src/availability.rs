//! Free units by day.

use chrono::{Datelike, NaiveDate};
use domain::{
    caller::Caller,
    id::{PropertyId, ServiceId},
};

use crate::{
    Booking,
    error::Error,
    field::Errors,
    occupancy::{Stay, by_night, day_after},
    offers::Service,
    store,
};

const MAX_DAYS: i64 = 366;

/// The free units of a service for the night that begins on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayAvailability {
    pub date: NaiveDate,
    pub service: ServiceId,
    pub units: u32,
    pub reserved: u32,
    pub available: u32,
}

impl Booking {
    /// Every service of a property on every day from the first to the last, day by day.
    ///
    /// # Errors
    /// If the days are wrong or the database fails.
    pub async fn availability(
        &self,
        caller: &Caller,
        property: &PropertyId,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<DayAvailability>, Error> {
        check_days(from, to)?;
        if !caller.reaches(property) {
            return Ok(Vec::new());
        }
        let services = store::services::offered_services(&self.pool, &caller.tenant, property).await?;
        let stays = store::reservations::stays_at(&self.pool, &caller.tenant, property, from, to).await?;
        let none = Vec::new();
        let mut days: Vec<DayAvailability> = services
            .iter()
            .flat_map(|service| days_of(service, stays.get(&service.id).unwrap_or(&none), from, to))
            .collect();
        // The sort is stable, so on each day the services keep their order.
        days.sort_by_key(|day| day.date);
        Ok(days)
    }
}

fn check_days(from: NaiveDate, to: NaiveDate) -> Result<(), Error> {
    let is_kept = |date: NaiveDate| (1..=9999).contains(&date.year());
    let mut errors = Errors::default();
    errors.check(is_kept(from), "from", "out_of_range", "Use a year of four digits.");
    errors.check(is_kept(to), "to", "out_of_range", "Use a year of four digits.");
    errors.check(from <= to, "to", "before_from", "The last day has to be the first one or later.");
    errors.check((to - from).num_days() < MAX_DAYS, "to", "too_many_days", "Ask for at most 366 days at a time.");
    Ok(errors.or(())?)
}

fn days_of(service: &Service, stays: &[Stay], from: NaiveDate, to: NaiveDate) -> Vec<DayAvailability> {
    let day = |(date, reserved): (NaiveDate, u32)| DayAvailability {
        date,
        service: service.id.clone(),
        units: service.units,
        reserved,
        available: service.units.saturating_sub(reserved),
    };
    by_night(stays, from, day_after(to)).into_iter().map(day).collect()
}
