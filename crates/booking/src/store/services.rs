//! Services.

use domain::id::{Id, PropertyId, ServiceId, TenantId};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::LockType,
};

use super::{Pool, Result, WriteTransaction, entity::service, readable, readable_units, units_column};
use crate::{Money, Service, page::PageBounds};

/// The services of one property of the tenant's: where every query by tenant starts.
fn of_property(tenant: &TenantId, property: &PropertyId) -> Select<service::Entity> {
    service::Entity::find().filter(
        Condition::all()
            .add(service::Column::TenantId.eq(tenant.as_str()))
            .add(service::Column::PropertyId.eq(property.as_str())),
    )
}

/// The ones that can be reserved.
fn offered(tenant: &TenantId, property: &PropertyId) -> Select<service::Entity> {
    of_property(tenant, property).filter(service::Column::ArchivedAt.is_null())
}

fn service_from_row(row: service::Model) -> Result<Service> {
    Ok(Service {
        id: readable("a service's id", &row.id, ServiceId::parse(&row.id))?,
        property: readable("a property's id", &row.property_id, PropertyId::parse(&row.property_id))?,
        name: row.name,
        units: readable_units(row.units)?,
        price: Money { minor: row.price_minor, currency: row.currency },
        created_at: row.created_at,
        archived_at: row.archived_at,
    })
}

pub(crate) async fn all_services(pool: &Pool, tenant: &TenantId, property: &PropertyId) -> Result<Vec<Service>> {
    read_all(pool, of_property(tenant, property)).await
}

pub(crate) async fn offered_services(pool: &Pool, tenant: &TenantId, property: &PropertyId) -> Result<Vec<Service>> {
    read_all(pool, offered(tenant, property)).await
}

async fn read_all(pool: &Pool, select: Select<service::Entity>) -> Result<Vec<Service>> {
    let rows = select.order_by_asc(service::Column::Id).all(pool.connection()).await?;
    rows.into_iter().map(service_from_row).collect()
}

pub(crate) async fn page(
    pool: &Pool,
    tenant: &TenantId,
    property: &PropertyId,
    slice: &PageBounds<ServiceId>,
) -> Result<Vec<Service>> {
    let mut select = offered(tenant, property).order_by_asc(service::Column::Id).limit(slice.to_read());
    if let Some(after) = &slice.after {
        select = select.filter(service::Column::Id.gt(after.as_str()));
    }
    select.all(pool.connection()).await?.into_iter().map(service_from_row).collect()
}

/// Loads a service that the property offers and locks it until the end of the transaction, so that concurrent
/// reservations wait.
pub(crate) async fn lock(
    transaction: &WriteTransaction,
    tenant: &TenantId,
    property: &PropertyId,
    id: &ServiceId,
) -> Result<Option<Service>> {
    lock_one(transaction, offered(tenant, property).filter(service::Column::Id.eq(id.as_str()))).await
}

/// Loads and locks a service of any tenant, even an archived one, for the operator.
pub(crate) async fn lock_any(transaction: &WriteTransaction, id: &ServiceId) -> Result<Option<Service>> {
    lock_one(transaction, service::Entity::find_by_id(id.as_str())).await
}

/// On SQLite the transaction alone excludes other writers, and the lock is not part of the query.
async fn lock_one(transaction: &WriteTransaction, mut select: Select<service::Entity>) -> Result<Option<Service>> {
    // A weaker lock than `FOR UPDATE`, so that inserts that reference the service do not wait.
    QuerySelect::query(&mut select).lock(LockType::NoKeyUpdate);
    select.one(transaction.on()).await?.map(service_from_row).transpose()
}

/// Returns the oldest service with this name that the property offers.
pub(crate) async fn named(
    transaction: &WriteTransaction,
    tenant: &TenantId,
    property: &PropertyId,
    name: &str,
) -> Result<Option<Service>> {
    let select = offered(tenant, property).filter(service::Column::Name.eq(name)).order_by_asc(service::Column::Id);
    select.one(transaction.on()).await?.map(service_from_row).transpose()
}

pub(crate) async fn insert(transaction: &WriteTransaction, tenant: &TenantId, service: &Service) -> Result<()> {
    let row = service::ActiveModel {
        id: Set(service.id.to_string()),
        tenant_id: Set(tenant.to_string()),
        property_id: Set(service.property.to_string()),
        created_at: Set(service.created_at),
        ..editable(service)
    };
    service::Entity::insert(row).exec_without_returning(transaction.on()).await?;
    Ok(())
}

pub(crate) async fn update(transaction: &WriteTransaction, service: &Service) -> Result<()> {
    let by_id = service::Entity::update_many().filter(service::Column::Id.eq(service.id.as_str()));
    by_id.set(editable(service)).exec(transaction.on()).await?;
    Ok(())
}

/// The columns that can change.
fn editable(service: &Service) -> service::ActiveModel {
    service::ActiveModel {
        name: Set(service.name.clone()),
        units: Set(units_column(service.units)),
        price_minor: Set(service.price.minor),
        currency: Set(service.price.currency.clone()),
        archived_at: Set(service.archived_at),
        ..Default::default()
    }
}
