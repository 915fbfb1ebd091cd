//! Packages.

use domain::id::{Id, PackageId, PropertyId, ServiceId, TenantId};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

use super::{Pool, Result, WriteTransaction, entity::package, readable, services};
use crate::{Money, Package, page::PageBounds};

/// The packages of one property of the tenant's: where every query of this module starts.
fn of_property(tenant: &TenantId, property: &PropertyId) -> Select<package::Entity> {
    package::Entity::find().filter(
        Condition::all()
            .add(package::Column::TenantId.eq(tenant.as_str()))
            .add(package::Column::PropertyId.eq(property.as_str())),
    )
}

fn package_from_row(row: package::Model) -> Result<Package> {
    Ok(Package {
        id: readable("a package's id", &row.id, PackageId::parse(&row.id))?,
        property: readable("a property's id", &row.property_id, PropertyId::parse(&row.property_id))?,
        service: readable("a service's id", &row.service_id, ServiceId::parse(&row.service_id))?,
        name: row.name,
        price: Money { minor: row.price_minor, currency: row.currency },
        created_at: row.created_at,
    })
}

pub(crate) async fn page(
    pool: &Pool,
    tenant: &TenantId,
    property: &PropertyId,
    slice: &PageBounds<PackageId>,
) -> Result<Vec<Package>> {
    let mut select = of_property(tenant, property).order_by_asc(package::Column::Id).limit(slice.to_read());
    if let Some(after) = &slice.after {
        select = select.filter(package::Column::Id.gt(after.as_str()));
    }
    select.all(pool.connection()).await?.into_iter().map(package_from_row).collect()
}

pub(crate) async fn find_package(
    transaction: &WriteTransaction,
    tenant: &TenantId,
    property: &PropertyId,
    id: &PackageId,
) -> Result<Option<Package>> {
    let select = of_property(tenant, property).filter(package::Column::Id.eq(id.as_str()));
    select.one(transaction.on()).await?.map(package_from_row).transpose()
}

/// False when the tenant's property has no such service.
pub(crate) async fn insert(pool: &Pool, tenant: &TenantId, package: &Package) -> Result<bool> {
    let row = package::ActiveModel {
        id: Set(package.id.to_string()),
        tenant_id: Set(tenant.to_string()),
        property_id: Set(package.property.to_string()),
        service_id: Set(package.service.to_string()),
        name: Set(package.name.clone()),
        price_minor: Set(package.price.minor),
        currency: Set(package.price.currency.clone()),
        created_at: Set(package.created_at),
    };
    let transaction = pool.begin_write().await?;
    if services::lock(&transaction, tenant, &package.property, &package.service).await?.is_none() {
        return Ok(false);
    }
    package::Entity::insert(row).exec_without_returning(transaction.on()).await?;
    transaction.commit().await?;
    Ok(true)
}
