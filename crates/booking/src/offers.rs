//! The offers of a property: services, and packages that extend a service.

use chrono::{DateTime, SubsecRound, Utc};
use domain::{
    caller::Caller,
    id::{PackageId, PropertyId, ServiceId, TenantId},
    text::Length,
};

use crate::{
    Booking,
    error::{Error, Thing},
    field::Errors,
    id::new_id,
    money::Money,
    page::{Listed, Page},
    store,
};

const OFFER_NAME: Length = Length { least: 2, most: 100 };
const MAX_SERVICE_UNITS: u32 = 10_000;

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
}

/// The input for a new service.
#[derive(Debug, Clone)]
pub struct NewService {
    pub name: String,
    pub units: u32,
    pub price: Money,
}

/// The input for a new package.
#[derive(Debug, Clone)]
pub struct NewPackage {
    pub service: ServiceId,
    pub name: String,
    pub price: Money,
}

impl Booking {
    /// The services of a property, the oldest first.
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

    /// The packages of a property, the oldest first.
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

    /// Makes a service, for the operator.
    ///
    /// # Errors
    /// If a value is wrong, or the tenant has no such property.
    pub async fn create_service(
        &self,
        tenant: &TenantId,
        property: &PropertyId,
        new: NewService,
        now: DateTime<Utc>,
    ) -> Result<Service, Error> {
        let mut errors = Errors::default();
        let name = errors.text("name", OFFER_NAME, &new.name);
        let are_units = (1..=MAX_SERVICE_UNITS).contains(&new.units);
        errors.check(are_units, "units", "out_of_range", "Use a number from 1 to 10000.");
        new.price.check(&mut errors);
        let (property, created_at) = (property.clone(), now.trunc_subsecs(3));
        let service = Service { id: new_id(now), property, name, units: new.units, price: new.price, created_at };
        let service = errors.or(service)?;
        if !store::services::insert(&self.pool, tenant, &service).await? {
            return Err(Error::NotFound(Thing::Property));
        }
        Ok(service)
    }

    /// Makes a package of a service of the same property, for the operator.
    ///
    /// # Errors
    /// If a value is wrong, or the tenant has no such property with such a service.
    pub async fn create_package(
        &self,
        tenant: &TenantId,
        property: &PropertyId,
        new: NewPackage,
        now: DateTime<Utc>,
    ) -> Result<Package, Error> {
        let mut errors = Errors::default();
        let name = errors.text("name", OFFER_NAME, &new.name);
        new.price.check(&mut errors);
        let (property, created_at) = (property.clone(), now.trunc_subsecs(3));
        let package = Package { id: new_id(now), property, service: new.service, name, price: new.price, created_at };
        let package = errors.or(package)?;
        if !store::packages::insert(&self.pool, tenant, &package).await? {
            return Err(Error::NotFound(Thing::Service));
        }
        Ok(package)
    }
}
