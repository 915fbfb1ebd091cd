//! Packages.

use domain::id::{Id, PackageId, PropertyId, ServiceId, TenantId};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::LockType,
};

use super::{
    Pool, Result, WriteTransaction,
    entity::{package, service},
    readable,
};
use crate::{Money, Package, page::PageBounds};

/// The packages of one property of the tenant's: where every query by tenant starts.
fn of_property(tenant: &TenantId, property: &PropertyId) -> Select<package::Entity> {
    package::Entity::find().filter(
        Condition::all()
            .add(package::Column::TenantId.eq(tenant.as_str()))
            .add(package::Column::PropertyId.eq(property.as_str())),
    )
}

/// The ones that can be reserved, as far as their service can.
fn offered(tenant: &TenantId, property: &PropertyId) -> Select<package::Entity> {
    of_property(tenant, property).filter(package::Column::ArchivedAt.is_null())
}

fn package_from_row(row: package::Model) -> Result<Package> {
    Ok(Package {
        id: readable("a package's id", &row.id, PackageId::parse(&row.id))?,
        property: readable("a property's id", &row.property_id, PropertyId::parse(&row.property_id))?,
        service: readable("a service's id", &row.service_id, ServiceId::parse(&row.service_id))?,
        name: row.name,
        price: Money { minor: row.price_minor, currency: row.currency },
        created_at: row.created_at,
        archived_at: row.archived_at,
    })
}

pub(crate) async fn all_packages(pool: &Pool, tenant: &TenantId, property: &PropertyId) -> Result<Vec<Package>> {
    let rows = of_property(tenant, property).order_by_asc(package::Column::Id).all(pool.connection()).await?;
    rows.into_iter().map(package_from_row).collect()
}

/// The packages that can be reserved: an archived service takes its packages with it.
pub(crate) async fn page(
    pool: &Pool,
    tenant: &TenantId,
    property: &PropertyId,
    slice: &PageBounds<PackageId>,
) -> Result<Vec<Package>> {
    let mut select = offered(tenant, property)
        .inner_join(service::Entity)
        .filter(service::Column::ArchivedAt.is_null())
        .order_by_asc(package::Column::Id)
        .limit(slice.to_read());
    if let Some(after) = &slice.after {
        select = select.filter(package::Column::Id.gt(after.as_str()));
    }
    select.all(pool.connection()).await?.into_iter().map(package_from_row).collect()
}

/// Loads a package that the property offers and locks it until the end of the transaction, so that it is not archived
/// while it is reserved.
pub(crate) async fn lock(
    transaction: &WriteTransaction,
    tenant: &TenantId,
    property: &PropertyId,
    id: &PackageId,
) -> Result<Option<Package>> {
    lock_one(transaction, offered(tenant, property).filter(package::Column::Id.eq(id.as_str()))).await
}

/// Loads and locks a package of any tenant, even an archived one, for the operator.
pub(crate) async fn lock_any(transaction: &WriteTransaction, id: &PackageId) -> Result<Option<Package>> {
    lock_one(transaction, package::Entity::find_by_id(id.as_str())).await
}

async fn lock_one(transaction: &WriteTransaction, mut select: Select<package::Entity>) -> Result<Option<Package>> {
    // A weaker lock than `FOR UPDATE`, so that inserts that reference the package do not wait.
    QuerySelect::query(&mut select).lock(LockType::NoKeyUpdate);
    select.one(transaction.on()).await?.map(package_from_row).transpose()
}

/// Returns the oldest package with this name that the property offers.
pub(crate) async fn named(
    transaction: &WriteTransaction,
    tenant: &TenantId,
    property: &PropertyId,
    name: &str,
) -> Result<Option<Package>> {
    let select = offered(tenant, property).filter(package::Column::Name.eq(name)).order_by_asc(package::Column::Id);
    select.one(transaction.on()).await?.map(package_from_row).transpose()
}

pub(crate) async fn insert(transaction: &WriteTransaction, tenant: &TenantId, package: &Package) -> Result<()> {
    let row = package::ActiveModel {
        id: Set(package.id.to_string()),
        tenant_id: Set(tenant.to_string()),
        property_id: Set(package.property.to_string()),
        service_id: Set(package.service.to_string()),
        created_at: Set(package.created_at),
        ..editable(package)
    };
    package::Entity::insert(row).exec_without_returning(transaction.on()).await?;
    Ok(())
}

pub(crate) async fn update(transaction: &WriteTransaction, package: &Package) -> Result<()> {
    let by_id = package::Entity::update_many().filter(package::Column::Id.eq(package.id.as_str()));
    by_id.set(editable(package)).exec(transaction.on()).await?;
    Ok(())
}

/// The columns that can change.
fn editable(package: &Package) -> package::ActiveModel {
    package::ActiveModel {
        name: Set(package.name.clone()),
        price_minor: Set(package.price.minor),
        currency: Set(package.price.currency.clone()),
        archived_at: Set(package.archived_at),
        ..Default::default()
    }
}
