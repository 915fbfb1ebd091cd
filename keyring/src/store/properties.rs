//! Properties.

use domain::{
    id::{Id, PropertyId, TenantId},
    property::Property,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};

use super::{Change, Database, Result, entity::property, inserted, readable};

pub(crate) async fn list(connection: &impl ConnectionTrait, tenant: &TenantId) -> Result<Vec<Property>> {
    let rows = property::Entity::find()
        .filter(property::Column::TenantId.eq(tenant.as_str()))
        .order_by_asc(property::Column::Name)
        .all(connection)
        .await?;
    let read = |row: property::Model| {
        Ok(Property { id: readable("a property's id", &row.id, PropertyId::parse(&row.id))?, name: row.name })
    };
    rows.into_iter().map(read).collect()
}

/// Whether the tenant has this property.
pub(crate) async fn exists(database: &Database, tenant: &TenantId, property: &PropertyId) -> Result<bool> {
    let found = property::Entity::find_by_id(property.as_str()).filter(property::Column::TenantId.eq(tenant.as_str()));
    Ok(found.count(database.connection()).await? > 0)
}

/// False when the tenant has a property of this name.
pub(crate) async fn insert(change: &Change, tenant: &TenantId, property: &Property) -> Result<bool> {
    let row = property::ActiveModel {
        id: Set(property.id.to_string()),
        tenant_id: Set(tenant.to_string()),
        name: Set(property.name.clone()),
        created_at: Set(change.now()),
    };
    inserted(property::Entity::insert(row).exec_without_returning(change.on()).await)
}
