//! Reservations.

use std::collections::HashMap;

use chrono::NaiveDate;
use domain::id::{Id, PackageId, PropertyId, ReservationId, ServiceId, TenantId};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
};

use super::{Pool, Result, WriteTransaction, entity::reservation, readable, readable_units, units_column};
use crate::{Guest, Money, Reservation, Status, occupancy::Stay, page::PageBounds};

/// The tenant's reservations: where every query of this module starts.
fn of_tenant(tenant: &TenantId) -> Condition {
    Condition::all().add(reservation::Column::TenantId.eq(tenant.as_str()))
}

fn reservation_from_row(row: reservation::Model) -> Result<Reservation> {
    let package = |id: String| readable("a package's id", &id, PackageId::parse(&id));
    Ok(Reservation {
        id: readable("a reservation's id", &row.id, ReservationId::parse(&row.id))?,
        property: readable("a property's id", &row.property_id, PropertyId::parse(&row.property_id))?,
        service: readable("a service's id", &row.service_id, ServiceId::parse(&row.service_id))?,
        package: row.package_id.map(package).transpose()?,
        guest: Guest { name: row.guest_name, email: row.guest_email },
        arrival: row.arrival,
        departure: row.departure,
        units: readable_units(row.units)?,
        status: readable("a status", &row.status, Status::parse(&row.status).ok_or(()))?,
        price: Money { minor: row.price_minor, currency: row.currency },
        created_at: row.created_at,
        created_by: row.created_by,
    })
}

pub(crate) async fn page(
    pool: &Pool,
    tenant: &TenantId,
    properties: &[PropertyId],
    slice: &PageBounds<ReservationId>,
) -> Result<Vec<Reservation>> {
    let at_properties = reservation::Column::PropertyId.is_in(properties.iter().map(Id::as_str));
    let mut wanted = of_tenant(tenant).add(at_properties);
    if let Some(after) = &slice.after {
        wanted = wanted.add(reservation::Column::Id.lt(after.as_str()));
    }
    let select = reservation::Entity::find().filter(wanted).order_by_desc(reservation::Column::Id);
    select.limit(slice.to_read()).all(pool.connection()).await?.into_iter().map(reservation_from_row).collect()
}

pub(crate) async fn find_reservation(
    pool: &Pool,
    tenant: &TenantId,
    id: &ReservationId,
) -> Result<Option<Reservation>> {
    let select = reservation::Entity::find_by_id(id.as_str()).filter(of_tenant(tenant));
    select.one(pool.connection()).await?.map(reservation_from_row).transpose()
}

/// Selects the confirmed reservations with a night between the first and the last.
fn staying(tenant: &TenantId, first: NaiveDate, last: NaiveDate) -> Select<reservation::Entity> {
    reservation::Entity::find()
        .filter(of_tenant(tenant))
        .filter(reservation::Column::Status.eq(Status::Confirmed.as_str()))
        .filter(reservation::Column::Arrival.lte(last))
        .filter(reservation::Column::Departure.gt(first))
}

/// A service, and the columns that make a [`Stay`].
type StayRow = (String, NaiveDate, NaiveDate, i32);

async fn read_stays(
    select: Select<reservation::Entity>,
    connection: &impl ConnectionTrait,
) -> Result<Vec<(String, Stay)>> {
    let columns = [
        reservation::Column::ServiceId,
        reservation::Column::Arrival,
        reservation::Column::Departure,
        reservation::Column::Units,
    ];
    let rows = select.select_only().columns(columns).into_tuple::<StayRow>().all(connection).await?;
    rows.into_iter()
        .map(|(service, arrival, departure, units)| {
            Ok((service, Stay { arrival, departure, units: readable_units(units)? }))
        })
        .collect()
}

/// The stays in a service that meet another one.
pub(crate) async fn stays_of(
    transaction: &WriteTransaction,
    tenant: &TenantId,
    service: &ServiceId,
    other: &Stay,
) -> Result<Vec<Stay>> {
    let select =
        staying(tenant, other.arrival, other.last_night()).filter(reservation::Column::ServiceId.eq(service.as_str()));
    Ok(read_stays(select, transaction.on()).await?.into_iter().map(|(_, stay)| stay).collect())
}

/// The stays at a property between two days, by service.
pub(crate) async fn stays_at(
    pool: &Pool,
    tenant: &TenantId,
    property: &PropertyId,
    first: NaiveDate,
    last: NaiveDate,
) -> Result<HashMap<ServiceId, Vec<Stay>>> {
    let select = staying(tenant, first, last).filter(reservation::Column::PropertyId.eq(property.as_str()));
    let mut stays: HashMap<ServiceId, Vec<Stay>> = HashMap::new();
    for (service, stay) in read_stays(select, pool.connection()).await? {
        let service = readable("a service's id", &service, ServiceId::parse(&service))?;
        stays.entry(service).or_default().push(stay);
    }
    Ok(stays)
}

pub(crate) async fn insert(transaction: &WriteTransaction, tenant: &TenantId, reservation: &Reservation) -> Result<()> {
    let row = active(tenant, reservation);
    reservation::Entity::insert(row).exec_without_returning(transaction.on()).await?;
    Ok(())
}

fn active(tenant: &TenantId, reservation: &Reservation) -> reservation::ActiveModel {
    reservation::ActiveModel {
        id: Set(reservation.id.to_string()),
        tenant_id: Set(tenant.to_string()),
        property_id: Set(reservation.property.to_string()),
        service_id: Set(reservation.service.to_string()),
        package_id: Set(reservation.package.as_ref().map(ToString::to_string)),
        guest_name: Set(reservation.guest.name.clone()),
        guest_email: Set(reservation.guest.email.clone()),
        arrival: Set(reservation.arrival),
        departure: Set(reservation.departure),
        units: Set(units_column(reservation.units)),
        status: Set(reservation.status.as_str().to_owned()),
        price_minor: Set(reservation.price.minor),
        currency: Set(reservation.price.currency.clone()),
        created_at: Set(reservation.created_at),
        created_by: Set(reservation.created_by.clone()),
    }
}
