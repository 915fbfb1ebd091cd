//! `latchkey service` and `latchkey package`: what a property offers on the public API

use booking::{Booking, Money, NewPackage, NewService, Package, Service};
use clap::{Args, Subcommand};
use domain::id::{Id, PropertyId, ServiceId};
use keyring::{Keyring, TenantAdmin, Thing};
use serde_json::{Value, json};

use super::{Refusal, Report};

#[derive(Subcommand, Clone)]
pub enum ServiceCommand {
    /// Let a property offer a service
    Create {
        #[command(flatten)]
        place: Place,
        #[arg(long)]
        name: String,
        /// The units available each day
        #[arg(long)]
        units: u32,
        #[command(flatten)]
        price: Price,
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
        #[arg(long)]
        name: String,
        #[command(flatten)]
        price: Price,
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

/// For one unit and night.
#[derive(Args, Clone)]
pub struct Price {
    /// For one unit and night, in the smallest unit of the currency: 12900 for 129 euros
    #[arg(long)]
    price: i64,
    /// An ISO 4217 code
    #[arg(long, default_value = "EUR")]
    currency: String,
}

impl From<Price> for Money {
    fn from(Price { price, currency }: Price) -> Self {
        Self { minor: price, currency }
    }
}

pub(super) async fn service(keyring: &Keyring, booking: &Booking, command: ServiceCommand) -> Result<Report, Refusal> {
    let ServiceCommand::Create { place, name, units, price } = command;
    let (operator, property) = find_offer(keyring, &place).await?;
    let new = NewService { name, units, price: price.into() };
    let service = booking.create_service(&operator.tenant().id, &property, new, keyring.now()).await?;
    let text = format!("{} offers {} ({}).\n", place.property, service.name, service.id);
    Ok(Report::new(view_service(&service), text))
}

pub(super) async fn package(keyring: &Keyring, booking: &Booking, command: PackageCommand) -> Result<Report, Refusal> {
    let PackageCommand::Create { place, service, name, price } = command;
    let (operator, property) = find_offer(keyring, &place).await?;
    let service = ServiceId::parse(&service).map_err(|_| booking::Error::NotFound(booking::Thing::Service))?;
    let new = NewPackage { service, name, price: price.into() };
    let package = booking.create_package(&operator.tenant().id, &property, new, keyring.now()).await?;
    let text = format!("{} offers {} ({}).\n", place.property, package.name, package.id);
    Ok(Report::new(view_package(&package), text))
}

/// The tenant, and a property that it has.
async fn find_offer(keyring: &Keyring, place: &Place) -> Result<(TenantAdmin, PropertyId), Refusal> {
    let operator = keyring.operator_for(&place.tenant).await?;
    let properties = keyring.properties(&operator).await?;
    let property = properties.into_iter().find(|property| property.id.as_str() == place.property);
    let property = property.ok_or(keyring::Error::NotFound(Thing::Property))?;
    Ok((operator, property.id))
}

fn view_price(price: &Money) -> Value {
    json!({ "amount": price.minor, "currency": price.currency })
}

fn view_service(service: &Service) -> Value {
    let Service { id, property, name, units, price, created_at } = service;
    json!({
        "id": id, "property_id": property, "name": name, "units": units, "price": view_price(price),
        "created_at": created_at,
    })
}

fn view_package(package: &Package) -> Value {
    let Package { id, property, service, name, price, created_at } = package;
    json!({
        "id": id, "property_id": property, "service_id": service, "name": name, "price": view_price(price),
        "created_at": created_at,
    })
}
