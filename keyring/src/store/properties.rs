//! Properties.

use domain::{
    id::{Id, PropertyId, TenantId},
    property::{Property, Reach},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::{Change, Database, Result, entity::property, inserted, readable};

pub(crate) async fn list(connection: &impl ConnectionTrait, tenant: &TenantId) -> Result<Vec<Property>> {
    let rows = property::Entity::find()
        .filter(property::Column::TenantId.eq(tenant.as_str()))
        .order_by_asc(property::Column::Name)
        .all(connection)
        .await?;
    rows.into_iter().map(read).collect()
}

fn read(row: property::Model) -> Result<Property> {
    Ok(Property { id: readable("a property's id", &row.id, PropertyId::parse(&row.id))?, name: row.name })
}

pub(crate) async fn find(database: &Database, tenant: &TenantId, property: &PropertyId) -> Result<Option<Property>> {
    let found = property::Entity::find_by_id(property.as_str()).filter(property::Column::TenantId.eq(tenant.as_str()));
    found.one(database.connection()).await?.map(read).transpose()
}

/// So many of the tenant's properties within reach, by id, from the one after `after`.
pub(crate) async fn page(
    database: &Database,
    tenant: &TenantId,
    reach: &Reach,
    after: Option<&str>,
    limit: u64,
) -> Result<Vec<Property>> {
    let mut within = Condition::all().add(property::Column::TenantId.eq(tenant.as_str()));
    if let Reach::Only(ids) = reach {
        within = within.add(property::Column::Id.is_in(ids.iter().map(Id::as_str)));
    }
    if let Some(after) = after {
        within = within.add(property::Column::Id.gt(after));
    }
    let rows = property::Entity::find()
        .filter(within)
        .order_by_asc(property::Column::Id)
        .limit(limit)
        .all(database.connection())
        .await?;
    rows.into_iter().map(read).collect()
}

/// False when the tenant has a property of this name.
pub(crate) async fn insert(change: &Change, tenant: &TenantId, property: &Property) -> Result<bool> {
    let row = property::ActiveModel {
        id: Set(property.id.to_string()),
        tenant_id: Set(tenant.to_string()),
        name: Set(property.name.clone()),
        created_at: Set(change.now()),
        ..Default::default()
    };
    inserted(property::Entity::insert(row).exec_without_returning(change.on()).await)
}
