//! Properties. An archived one is visible to the tenant's admins only.

use domain::{
    id::{Id, PropertyId, TenantId},
    property::Property,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::{AuditedTransaction, Database, Result, entity::property, readable};
use crate::model::TenantProperty;

fn of_tenant(tenant: &TenantId) -> Condition {
    Condition::all().add(property::Column::TenantId.eq(tenant.as_str()))
}

/// Those that keys can reach.
fn live(tenant: &TenantId) -> Condition {
    of_tenant(tenant).add(property::Column::ArchivedAt.is_null())
}

fn property_from_row(row: property::Model) -> Result<Property> {
    Ok(Property { id: readable("a property's id", &row.id, PropertyId::parse(&row.id))?, name: row.name })
}

fn read_with_state(row: property::Model) -> Result<TenantProperty> {
    let archived_at = row.archived_at;
    Ok(TenantProperty { property: property_from_row(row)?, archived_at })
}

/// The properties that keys can be given.
pub async fn list(connection: &impl ConnectionTrait, tenant: &TenantId) -> Result<Vec<Property>> {
    let rows = property::Entity::find().filter(live(tenant)).order_by_asc(property::Column::Name);
    rows.all(connection).await?.into_iter().map(property_from_row).collect()
}

/// The ids of those, in order.
pub async fn ids(database: &Database, tenant: &TenantId) -> Result<Vec<PropertyId>> {
    let rows: Vec<String> = property::Entity::find()
        .select_only()
        .column(property::Column::Id)
        .filter(live(tenant))
        .order_by_asc(property::Column::Id)
        .into_tuple()
        .all(database.connection())
        .await?;
    rows.iter().map(|id| readable("a property's id", id, PropertyId::parse(id))).collect()
}

pub async fn find_property(database: &Database, tenant: &TenantId, property: &PropertyId) -> Result<Option<Property>> {
    let found = property::Entity::find_by_id(property.as_str()).filter(live(tenant));
    found.one(database.connection()).await?.map(property_from_row).transpose()
}

/// Those of a list that keys can reach, in the order of their ids.
pub async fn with_ids(database: &Database, tenant: &TenantId, ids: &[PropertyId]) -> Result<Vec<Property>> {
    let listed = live(tenant).add(property::Column::Id.is_in(ids.iter().map(Id::as_str)));
    let rows = property::Entity::find().filter(listed).order_by_asc(property::Column::Id);
    rows.all(database.connection()).await?.into_iter().map(property_from_row).collect()
}

/// All of the tenant's properties, the archived ones as well.
pub async fn all_properties(connection: &impl ConnectionTrait, tenant: &TenantId) -> Result<Vec<TenantProperty>> {
    let rows = property::Entity::find().filter(of_tenant(tenant)).order_by_asc(property::Column::Name);
    rows.all(connection).await?.into_iter().map(read_with_state).collect()
}

/// One property, even when it is archived.
pub async fn any(
    connection: &impl ConnectionTrait,
    tenant: &TenantId,
    property: &PropertyId,
) -> Result<Option<TenantProperty>> {
    let found = property::Entity::find_by_id(property.as_str()).filter(of_tenant(tenant));
    found.one(connection).await?.map(read_with_state).transpose()
}

/// The property that has a name already, even when it is archived.
pub async fn named(change: &AuditedTransaction, tenant: &TenantId, name: &str) -> Result<Option<TenantProperty>> {
    let found = property::Entity::find().filter(of_tenant(tenant).add(property::Column::Name.eq(name)));
    found.one(change.on()).await?.map(read_with_state).transpose()
}

/// Returns the tenant of a property, for the operator, who names properties by id alone.
pub async fn tenant_of(connection: &impl ConnectionTrait, property: &PropertyId) -> Result<Option<TenantId>> {
    let row = property::Entity::find_by_id(property.as_str()).one(connection).await?;
    row.map(|row| readable("a tenant's id", &row.tenant_id, TenantId::parse(&row.tenant_id))).transpose()
}

/// Its name has to be free.
pub async fn insert(change: &AuditedTransaction, tenant: &TenantId, property: &Property) -> Result<()> {
    let row = property::ActiveModel {
        id: Set(property.id.to_string()),
        tenant_id: Set(tenant.to_string()),
        name: Set(property.name.clone()),
        created_at: Set(change.now()),
        archived_at: Set(None),
    };
    property::Entity::insert(row).exec_without_returning(change.on()).await?;
    Ok(())
}

/// Gives a property its name and state. The name has to be free.
pub async fn update(change: &AuditedTransaction, tenant: &TenantId, after: &TenantProperty) -> Result<()> {
    let TenantProperty { property: Property { id, name }, archived_at } = after;
    let row = property::ActiveModel { name: Set(name.clone()), archived_at: Set(*archived_at), ..Default::default() };
    property::Entity::update_many()
        .set(row)
        .filter(of_tenant(tenant).add(property::Column::Id.eq(id.as_str())))
        .exec(change.on())
        .await?;
    Ok(())
}
