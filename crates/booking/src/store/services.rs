//! Services.

use domain::id::{Id, PropertyId, ServiceId, TenantId};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, SqlErr,
    sea_query::LockType,
};

use super::{Pool, Result, WriteTransaction, entity::service, insert_unless, readable, readable_units, units_column};
use crate::{Money, Service, page::PageBounds};

/// The services of one property of the tenant's: where every query of this module starts.
fn of_property(tenant: &TenantId, property: &PropertyId) -> Select<service::Entity> {
    service::Entity::find().filter(
        Condition::all()
            .add(service::Column::TenantId.eq(tenant.as_str()))
            .add(service::Column::PropertyId.eq(property.as_str())),
    )
}

fn service_from_row(row: service::Model) -> Result<Service> {
    Ok(Service {
        id: readable("a service's id", &row.id, ServiceId::parse(&row.id))?,
        property: readable("a property's id", &row.property_id, PropertyId::parse(&row.property_id))?,
        name: row.name,
        units: readable_units(row.units)?,
        price: Money { minor: row.price_minor, currency: row.currency },
        created_at: row.created_at,
    })
}

pub(crate) async fn all_services(pool: &Pool, tenant: &TenantId, property: &PropertyId) -> Result<Vec<Service>> {
    let rows = of_property(tenant, property).order_by_asc(service::Column::Id).all(pool.connection()).await?;
    rows.into_iter().map(service_from_row).collect()
}

pub(crate) async fn page(
    pool: &Pool,
    tenant: &TenantId,
    property: &PropertyId,
    slice: &PageBounds<ServiceId>,
) -> Result<Vec<Service>> {
    let mut select = of_property(tenant, property).order_by_asc(service::Column::Id).limit(slice.to_read());
    if let Some(after) = &slice.after {
        select = select.filter(service::Column::Id.gt(after.as_str()));
    }
    select.all(pool.connection()).await?.into_iter().map(service_from_row).collect()
}

/// Loads a service and locks it until the end of the transaction, so that concurrent reservations wait.
///
/// On SQLite the transaction alone excludes other writers, and the lock is not part of the query.
pub(crate) async fn lock(
    transaction: &WriteTransaction,
    tenant: &TenantId,
    property: &PropertyId,
    id: &ServiceId,
) -> Result<Option<Service>> {
    let mut select = of_property(tenant, property).filter(service::Column::Id.eq(id.as_str()));
    // A weaker lock than `FOR UPDATE`, so that inserts that reference the service do not wait.
    QuerySelect::query(&mut select).lock(LockType::NoKeyUpdate);
    select.one(transaction.on()).await?.map(service_from_row).transpose()
}

/// False when the tenant has no such property.
pub(crate) async fn insert(pool: &Pool, tenant: &TenantId, service: &Service) -> Result<bool> {
    let row = service::ActiveModel {
        id: Set(service.id.to_string()),
        tenant_id: Set(tenant.to_string()),
        property_id: Set(service.property.to_string()),
        name: Set(service.name.clone()),
        units: Set(units_column(service.units)),
        price_minor: Set(service.price.minor),
        currency: Set(service.price.currency.clone()),
        created_at: Set(service.created_at),
    };
    let transaction = pool.begin_write().await?;
    let result = service::Entity::insert(row).exec_without_returning(transaction.on()).await;
    let is_there = insert_unless(result, |rule| matches!(rule, SqlErr::ForeignKeyConstraintViolation(_)))?;
    if is_there {
        transaction.commit().await?;
    }
    Ok(is_there)
}
