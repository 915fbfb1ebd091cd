//! The offers of a property: services, and packages that extend a service.

use chrono::{DateTime, Utc};
use domain::{
    caller::Caller,
    id::{PackageId, PropertyId, ServiceId},
};

use crate::{
    Booking,
    error::Error,
    money::Money,
    page::{Listed, Page},
    store,
};

/// Something of which a property has a number of units, each for one reservation a night.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    pub id: ServiceId,
    pub property: PropertyId,
    pub name: String,
    pub units: u32,
    /// For a unit and a night.
    pub price: Money,
    pub created_at: DateTime<Utc>,
    /// Since then it cannot be reserved; reservations made before stay.
    pub archived_at: Option<DateTime<Utc>>,
}

/// A service with something added to it, at a price of its own. It takes the service's units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    pub id: PackageId,
    pub property: PropertyId,
    pub service: ServiceId,
    pub name: String,
    /// For a unit and a night, the service included.
    pub price: Money,
    pub created_at: DateTime<Utc>,
    /// Since then it cannot be reserved; reservations made before stay.
    pub archived_at: Option<DateTime<Utc>>,
}

impl Booking {
    /// The services that a property offers, the oldest first.
    ///
    /// # Errors
    /// If there can be no such page or the database fails.
    pub async fn services(
        &self,
        caller: &Caller,
        property: &PropertyId,
        page: &Page,
    ) -> Result<Listed<Service>, Error> {
        let slice = page.checked()?;
        if !caller.reaches(property) {
            return Ok(Listed::default());
        }
        let read = store::services::page(&self.pool, &caller.tenant, property, &slice).await?;
        Ok(slice.listed(read, |service| service.id.to_string()))
    }

    /// The packages that a property offers, the oldest first.
    ///
    /// # Errors
    /// If there can be no such page or the database fails.
    pub async fn packages(
        &self,
        caller: &Caller,
        property: &PropertyId,
        page: &Page,
    ) -> Result<Listed<Package>, Error> {
        let slice = page.checked()?;
        if !caller.reaches(property) {
            return Ok(Listed::default());
        }
        let read = store::packages::page(&self.pool, &caller.tenant, property, &slice).await?;
        Ok(slice.listed(read, |package| package.id.to_string()))
    }
}
