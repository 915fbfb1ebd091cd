//! Tenants.

use domain::{
    id::{Id, TenantId},
    tenant::Tenant,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder,
};

use super::{Change, Database, Result, entity::tenant, inserted, readable};

fn read(row: tenant::Model) -> Result<Tenant> {
    Ok(Tenant {
        id: readable("a tenant's id", &row.id, TenantId::parse(&row.id))?,
        slug: row.slug,
        name: row.name,
        key_limit: u32::try_from(row.key_limit).unwrap_or_default(),
        api_keys: row.api_keys,
        time_zone: row.time_zone,
    })
}

fn active(tenant: &Tenant) -> tenant::ActiveModel {
    tenant::ActiveModel {
        id: Set(tenant.id.to_string()),
        slug: Set(tenant.slug.clone()),
        name: Set(tenant.name.clone()),
        key_limit: Set(i32::try_from(tenant.key_limit).unwrap_or(i32::MAX)),
        api_keys: Set(tenant.api_keys),
        time_zone: Set(tenant.time_zone.clone()),
        ..Default::default()
    }
}

pub(crate) async fn find(database: &Database, id: &TenantId) -> Result<Option<Tenant>> {
    find_on(database.connection(), id).await
}

pub(crate) async fn find_on(connection: &impl ConnectionTrait, id: &TenantId) -> Result<Option<Tenant>> {
    tenant::Entity::find_by_id(id.as_str()).one(connection).await?.map(read).transpose()
}

pub(crate) async fn find_by_slug(database: &Database, slug: &str) -> Result<Option<Tenant>> {
    let found = tenant::Entity::find().filter(tenant::Column::Slug.eq(slug)).one(database.connection()).await?;
    found.map(read).transpose()
}

pub(crate) async fn list(database: &Database) -> Result<Vec<Tenant>> {
    let rows = tenant::Entity::find().order_by_asc(tenant::Column::Slug).all(database.connection()).await?;
    rows.into_iter().map(read).collect()
}

pub(crate) async fn any(database: &Database) -> Result<bool> {
    Ok(tenant::Entity::find().count(database.connection()).await? > 0)
}

/// False when the slug is taken.
pub(crate) async fn insert(change: &Change, tenant: &Tenant) -> Result<bool> {
    let row = tenant::ActiveModel { created_at: Set(change.now()), ..active(tenant) };
    inserted(tenant::Entity::insert(row).exec_without_returning(change.on()).await)
}

pub(crate) async fn update(change: &Change, tenant: &Tenant) -> Result<()> {
    active(tenant).update(change.on()).await?;
    Ok(())
}
