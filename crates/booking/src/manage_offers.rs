//! What the operator does with the offers of a property.

use chrono::{DateTime, SubsecRound, Utc};
use domain::{
    ensured::Ensured,
    id::{PackageId, PropertyId, ServiceId, TenantId},
    text::Length,
};

use crate::{
    Booking,
    error::{Error, Thing},
    field::Errors,
    id::new_id,
    money::Money,
    offers::{Package, Service},
    store::{self, WriteTransaction},
};

const OFFER_NAME: Length = Length { least: 2, most: 100 };
const MAX_SERVICE_UNITS: u32 = 10_000;

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

/// The new values of a service. What is None stays.
#[derive(Debug, Clone, Default)]
pub struct ServiceEdit {
    pub name: Option<String>,
    pub units: Option<u32>,
    pub price: Option<Money>,
}

/// The new values of a package. What is None stays.
#[derive(Debug, Clone, Default)]
pub struct PackageEdit {
    pub name: Option<String>,
    pub price: Option<Money>,
}

impl NewService {
    fn parse(self, property: &PropertyId, now: DateTime<Utc>) -> Result<Service, Error> {
        let (property, created_at) = (property.clone(), now.trunc_subsecs(3));
        let Self { name, units, price } = self;
        Service { id: new_id(now), property, name, units, price, created_at, archived_at: None }.checked()
    }
}

impl NewPackage {
    fn parse(self, property: &PropertyId, now: DateTime<Utc>) -> Result<Package, Error> {
        let (property, created_at) = (property.clone(), now.trunc_subsecs(3));
        let Self { service, name, price } = self;
        Package { id: new_id(now), property, service, name, price, created_at, archived_at: None }.checked()
    }
}

impl Service {
    fn checked(mut self) -> Result<Self, Error> {
        let mut errors = Errors::default();
        self.name = errors.text("name", OFFER_NAME, &self.name);
        let are_units = (1..=MAX_SERVICE_UNITS).contains(&self.units);
        errors.check(are_units, "units", "out_of_range", "Use a number from 1 to 10000.");
        self.price.check(&mut errors);
        Ok(errors.or(self)?)
    }
}

impl Package {
    fn checked(mut self) -> Result<Self, Error> {
        let mut errors = Errors::default();
        self.name = errors.text("name", OFFER_NAME, &self.name);
        self.price.check(&mut errors);
        Ok(errors.or(self)?)
    }
}

impl Booking {
    /// Makes a service.
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
        let service = new.parse(property, now)?;
        let transaction = self.begin_offer(tenant, property).await?;
        store::services::insert(&transaction, tenant, &service).await?;
        transaction.commit().await?;
        Ok(service)
    }

    /// Makes a service unless the property offers one with this name.
    ///
    /// # Errors
    /// If a value is wrong, or the tenant has no such property.
    pub async fn ensure_service(
        &self,
        tenant: &TenantId,
        property: &PropertyId,
        new: NewService,
        now: DateTime<Utc>,
    ) -> Result<Ensured<Service>, Error> {
        let service = new.parse(property, now)?;
        let transaction = self.begin_offer(tenant, property).await?;
        if let Some(existing) = store::services::named(&transaction, tenant, property, &service.name).await? {
            return Ok(Ensured::Existing(existing));
        }
        store::services::insert(&transaction, tenant, &service).await?;
        transaction.commit().await?;
        Ok(Ensured::Created(service))
    }

    /// Makes a package of a service of the same property.
    ///
    /// # Errors
    /// If a value is wrong, or the tenant has no such property that offers such a service.
    pub async fn create_package(
        &self,
        tenant: &TenantId,
        property: &PropertyId,
        new: NewPackage,
        now: DateTime<Utc>,
    ) -> Result<Package, Error> {
        let package = new.parse(property, now)?;
        let transaction = self.begin_offer(tenant, property).await?;
        insert_package(&transaction, tenant, &package).await?;
        transaction.commit().await?;
        Ok(package)
    }

    /// Makes a package unless the property offers one with this name.
    ///
    /// # Errors
    /// If a value is wrong, or the tenant has no such property that offers such a service.
    pub async fn ensure_package(
        &self,
        tenant: &TenantId,
        property: &PropertyId,
        new: NewPackage,
        now: DateTime<Utc>,
    ) -> Result<Ensured<Package>, Error> {
        let package = new.parse(property, now)?;
        let transaction = self.begin_offer(tenant, property).await?;
        if let Some(existing) = store::packages::named(&transaction, tenant, property, &package.name).await? {
            return Ok(Ensured::Existing(existing));
        }
        insert_package(&transaction, tenant, &package).await?;
        transaction.commit().await?;
        Ok(Ensured::Created(package))
    }

    /// Changes a service, for reservations made from now on.
    ///
    /// # Errors
    /// If a value is wrong, or there is no such service.
    pub async fn edit_service(&self, id: &ServiceId, edit: ServiceEdit) -> Result<Service, Error> {
        let transaction = self.pool.begin_write().await?;
        let before = store::services::lock_any(&transaction, id).await?.ok_or(Error::NotFound(Thing::Service))?;
        let after = Service {
            name: edit.name.unwrap_or(before.name),
            units: edit.units.unwrap_or(before.units),
            price: edit.price.unwrap_or(before.price),
            ..before
        };
        let after = after.checked()?;
        store::services::update(&transaction, &after).await?;
        transaction.commit().await?;
        Ok(after)
    }

    /// Changes a package, for reservations made from now on.
    ///
    /// # Errors
    /// If a value is wrong, or there is no such package.
    pub async fn edit_package(&self, id: &PackageId, edit: PackageEdit) -> Result<Package, Error> {
        let transaction = self.pool.begin_write().await?;
        let before = store::packages::lock_any(&transaction, id).await?.ok_or(Error::NotFound(Thing::Package))?;
        let after =
            Package { name: edit.name.unwrap_or(before.name), price: edit.price.unwrap_or(before.price), ..before };
        let after = after.checked()?;
        store::packages::update(&transaction, &after).await?;
        transaction.commit().await?;
        Ok(after)
    }

    /// Stops offering a service and its packages (an instant), or offers them again (None). Reservations stay.
    ///
    /// # Errors
    /// If there is no such service.
    pub async fn set_service_archived(
        &self,
        id: &ServiceId,
        archived_at: Option<DateTime<Utc>>,
    ) -> Result<Service, Error> {
        let transaction = self.pool.begin_write().await?;
        let before = store::services::lock_any(&transaction, id).await?.ok_or(Error::NotFound(Thing::Service))?;
        let after = Service { archived_at: still_archived(before.archived_at, archived_at), ..before };
        store::services::update(&transaction, &after).await?;
        transaction.commit().await?;
        Ok(after)
    }

    /// Stops offering a package (an instant), or offers it again (None). Reservations stay.
    ///
    /// # Errors
    /// If there is no such package.
    pub async fn set_package_archived(
        &self,
        id: &PackageId,
        archived_at: Option<DateTime<Utc>>,
    ) -> Result<Package, Error> {
        let transaction = self.pool.begin_write().await?;
        let before = store::packages::lock_any(&transaction, id).await?.ok_or(Error::NotFound(Thing::Package))?;
        let after = Package { archived_at: still_archived(before.archived_at, archived_at), ..before };
        store::packages::update(&transaction, &after).await?;
        transaction.commit().await?;
        Ok(after)
    }

    /// All services of a property by id, the archived ones as well.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn all_services(&self, tenant: &TenantId, property: &PropertyId) -> Result<Vec<Service>, Error> {
        Ok(store::services::all_services(&self.pool, tenant, property).await?)
    }

    /// All packages of a property by id, the archived ones as well.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn all_packages(&self, tenant: &TenantId, property: &PropertyId) -> Result<Vec<Package>, Error> {
        Ok(store::packages::all_packages(&self.pool, tenant, property).await?)
    }

    /// Begins to add an offer. While the property is locked, no other transaction adds one with the same name.
    async fn begin_offer(&self, tenant: &TenantId, property: &PropertyId) -> Result<WriteTransaction, Error> {
        let transaction = self.pool.begin_write().await?;
        let is_there = store::properties::lock(&transaction, tenant, property).await?;
        if is_there { Ok(transaction) } else { Err(Error::NotFound(Thing::Property)) }
    }
}

async fn insert_package(transaction: &WriteTransaction, tenant: &TenantId, package: &Package) -> Result<(), Error> {
    let service = store::services::lock(transaction, tenant, &package.property, &package.service).await?;
    service.ok_or(Error::NotFound(Thing::Service))?;
    Ok(store::packages::insert(transaction, tenant, package).await?)
}

/// Archiving twice keeps the first instant.
fn still_archived(before: Option<DateTime<Utc>>, after: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    after.map(|now| before.unwrap_or(now.trunc_subsecs(3)))
}
