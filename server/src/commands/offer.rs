//! `latchkey service` and `latchkey package`: what a property offers on the public API

use booking::{Booking, Money, NewPackage, NewService, Package, PackageEdit, Service, ServiceEdit, Thing};
use clap::{Args, Subcommand};
use domain::{
    ensured::Ensured,
    id::{Id, PackageId, PropertyId, ServiceId},
};
use keyring::{Keyring, TenantAdmin};
use serde_json::{Value, json};

use super::{Refusal, Report, created, table};

#[derive(Subcommand, Clone)]
pub enum ServiceCommand {
    /// Let a property offer a service
    Create {
        #[command(flatten)]
        place: Place,
        /// The name that clients of the API see
        #[arg(long)]
        name: String,
        /// The units available each day
        #[arg(long)]
        units: u32,
        /// For one unit and night, in the smallest unit of the currency: 12900 for 129 euros
        #[arg(long)]
        price: i64,
        /// An ISO 4217 code
        #[arg(long, default_value = "EUR")]
        currency: String,
        /// Do nothing if the property offers a service with this name
        #[arg(long)]
        if_absent: bool,
    },
    /// List a property's services, the archived ones as well
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Change a service for new reservations; what is not named stays
    Edit {
        /// The service's id
        id: String,
        /// A new name
        #[arg(long)]
        name: Option<String>,
        /// The units available each day
        #[arg(long)]
        units: Option<u32>,
        #[command(flatten)]
        price: NewPrice,
    },
    /// Stop offering a service and its packages; reservations stay
    Archive {
        /// The service's id
        id: String,
    },
    /// Offer an archived service again
    Restore {
        /// The service's id
        id: String,
    },
}

#[derive(Subcommand, Clone)]
pub enum PackageCommand {
    /// Let a property offer a service with something added, at its own price
    Create {
        #[command(flatten)]
        place: Place,
        /// The id of the service whose units it takes
        #[arg(long)]
        service: String,
        /// The name that clients of the API see
        #[arg(long)]
        name: String,
        /// For one unit and night, in the smallest unit of the currency: 14900 for 149 euros
        #[arg(long)]
        price: i64,
        /// An ISO 4217 code
        #[arg(long, default_value = "EUR")]
        currency: String,
        /// Do nothing if the property offers a package with this name
        #[arg(long)]
        if_absent: bool,
    },
    /// List a property's packages, the archived ones as well
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Change a package for new reservations; what is not named stays
    Edit {
        /// The package's id
        id: String,
        /// A new name
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        price: NewPrice,
    },
    /// Stop offering a package; reservations stay
    Archive {
        /// The package's id
        id: String,
    },
    /// Offer an archived package again
    Restore {
        /// The package's id
        id: String,
    },
}

/// The property of an offer.
#[derive(Args, Clone)]
pub struct Place {
    /// The tenant's slug
    #[arg(long)]
    tenant: String,
    /// The property's id
    #[arg(long)]
    property: String,
}

#[derive(Args, Clone)]
pub struct NewPrice {
    /// For one unit and night, in the smallest unit of the currency: 12900 for 129 euros
    #[arg(long)]
    price: Option<i64>,
    /// An ISO 4217 code [default: EUR]
    #[arg(long, requires = "price")]
    currency: Option<String>,
}

impl NewPrice {
    fn money(self) -> Option<Money> {
        let currency = self.currency.unwrap_or_else(|| "EUR".to_owned());
        self.price.map(|minor| Money { minor, currency })
    }
}

pub(super) async fn service(keyring: &Keyring, booking: &Booking, command: ServiceCommand) -> Result<Report, Refusal> {
    match command {
        ServiceCommand::Create { place, name, units, price, currency, if_absent } => {
            let (operator, property) = find_property(keyring, &place).await?;
            let new = NewService { name, units, price: Money { minor: price, currency } };
            let (tenant, now) = (&operator.tenant().id, keyring.now());
            let service = if if_absent {
                booking.ensure_service(tenant, &property, new, now).await?
            } else {
                Ensured::Created(booking.create_service(tenant, &property, new, now).await?)
            };
            Ok(match service {
                Ensured::Created(service) => created(view_service(&service), true, &service.name),
                Ensured::Existing(service) => created(view_service(&service), false, &service.name),
            })
        }
        ServiceCommand::List { place } => {
            let (operator, property) = find_property(keyring, &place).await?;
            let services = booking.all_services(&operator.tenant().id, &property).await?;
            let rows: Vec<Vec<String>> = services.iter().map(service_row).collect();
            Ok(Report::new(services.iter().map(view_service).collect(), table(&rows)))
        }
        ServiceCommand::Edit { id, name, units, price } => {
            let edit = ServiceEdit { name, units, price: price.money() };
            Ok(service_report("Changed", &booking.edit_service(&service_id(&id)?, edit).await?))
        }
        ServiceCommand::Archive { id } => {
            let service = booking.set_service_archived(&service_id(&id)?, Some(keyring.now())).await?;
            Ok(service_report("Archived", &service))
        }
        ServiceCommand::Restore { id } => {
            Ok(service_report("Restored", &booking.set_service_archived(&service_id(&id)?, None).await?))
        }
    }
}

pub(super) async fn package(keyring: &Keyring, booking: &Booking, command: PackageCommand) -> Result<Report, Refusal> {
    match command {
        PackageCommand::Create { place, service, name, price, currency, if_absent } => {
            let (operator, property) = find_property(keyring, &place).await?;
            let new = NewPackage { service: service_id(&service)?, name, price: Money { minor: price, currency } };
            let (tenant, now) = (&operator.tenant().id, keyring.now());
            let package = if if_absent {
                booking.ensure_package(tenant, &property, new, now).await?
            } else {
                Ensured::Created(booking.create_package(tenant, &property, new, now).await?)
            };
            Ok(match package {
                Ensured::Created(package) => created(view_package(&package), true, &package.name),
                Ensured::Existing(package) => created(view_package(&package), false, &package.name),
            })
        }
        PackageCommand::List { place } => {
            let (operator, property) = find_property(keyring, &place).await?;
            let packages = booking.all_packages(&operator.tenant().id, &property).await?;
            let rows: Vec<Vec<String>> = packages.iter().map(package_row).collect();
            Ok(Report::new(packages.iter().map(view_package).collect(), table(&rows)))
        }
        PackageCommand::Edit { id, name, price } => {
            let edit = PackageEdit { name, price: price.money() };
            Ok(package_report("Changed", &booking.edit_package(&package_id(&id)?, edit).await?))
        }
        PackageCommand::Archive { id } => {
            let package = booking.set_package_archived(&package_id(&id)?, Some(keyring.now())).await?;
            Ok(package_report("Archived", &package))
        }
        PackageCommand::Restore { id } => {
            Ok(package_report("Restored", &booking.set_package_archived(&package_id(&id)?, None).await?))
        }
    }
}

/// The tenant, and a property that it has.
async fn find_property(keyring: &Keyring, place: &Place) -> Result<(TenantAdmin, PropertyId), Refusal> {
    let operator = keyring.operator_for(&place.tenant).await?;
    let properties = keyring.properties(&operator).await?;
    let property = properties.into_iter().find(|property| property.id.as_str() == place.property);
    let property = property.ok_or(keyring::Error::NotFound(keyring::Thing::Property))?;
    Ok((operator, property.id))
}

fn service_id(id: &str) -> Result<ServiceId, booking::Error> {
    ServiceId::parse(id).map_err(|_| booking::Error::NotFound(Thing::Service))
}

fn package_id(id: &str) -> Result<PackageId, booking::Error> {
    PackageId::parse(id).map_err(|_| booking::Error::NotFound(Thing::Package))
}

fn service_report(done: &str, service: &Service) -> Report {
    Report::new(view_service(service), format!("{done} the service {} ({}).\n", service.name, service.id))
}

fn package_report(done: &str, package: &Package) -> Report {
    Report::new(view_package(package), format!("{done} the package {} ({}).\n", package.name, package.id))
}

fn service_row(service: &Service) -> Vec<String> {
    let Service { id, name, units, price, archived_at, .. } = service;
    vec![id.to_string(), name.clone(), format!("{units} units"), amount(price), archived(archived_at.is_some())]
}

fn package_row(package: &Package) -> Vec<String> {
    let Package { id, service, name, price, archived_at, .. } = package;
    vec![id.to_string(), name.clone(), service.to_string(), amount(price), archived(archived_at.is_some())]
}

fn amount(price: &Money) -> String {
    format!("{} {}", price.minor, price.currency)
}

fn archived(is_archived: bool) -> String {
    if is_archived { "archived".to_owned() } else { String::new() }
}

fn view_price(price: &Money) -> Value {
    json!({ "amount": price.minor, "currency": price.currency })
}

fn view_service(service: &Service) -> Value {
    let Service { id, property, name, units, price, created_at, archived_at } = service;
    json!({
        "id": id, "property_id": property, "name": name, "units": units, "price": view_price(price),
        "created_at": created_at, "archived_at": archived_at,
    })
}

fn view_package(package: &Package) -> Value {
    let Package { id, property, service, name, price, created_at, archived_at } = package;
    json!({
        "id": id, "property_id": property, "service_id": service, "name": name, "price": view_price(price),
        "created_at": created_at, "archived_at": archived_at,
    })
}
