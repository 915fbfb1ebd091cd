//! Tenants.

use std::collections::HashMap;

use domain::{
    id::{Id, TenantId},
    secret::KeyKind,
    tenant::Tenant,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Select,
};

use super::{
    AuditedTransaction, Database, Result,
    entity::{api_key, person, tenant},
    inserted, readable,
};
use crate::model::TenantOverview;

fn tenant_from_row(row: tenant::Model) -> Result<Tenant> {
    Ok(Tenant {
        id: readable("a tenant's id", &row.id, TenantId::parse(&row.id))?,
        slug: row.slug,
        name: row.name,
        key_limit: u32::try_from(row.key_limit).unwrap_or_default(),
        api_keys: row.api_keys,
        time_zone: row.time_zone,
        requires_second_factor: row.requires_second_factor,
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
        requires_second_factor: Set(tenant.requires_second_factor),
        ..Default::default()
    }
}

pub async fn find_tenant(database: &Database, id: &TenantId) -> Result<Option<Tenant>> {
    find_on(database.connection(), id).await
}

pub async fn find_on(connection: &impl ConnectionTrait, id: &TenantId) -> Result<Option<Tenant>> {
    tenant::Entity::find_by_id(id.as_str()).one(connection).await?.map(tenant_from_row).transpose()
}

pub async fn find_by_slug(database: &Database, slug: &str) -> Result<Option<Tenant>> {
    let found = tenant::Entity::find().filter(tenant::Column::Slug.eq(slug)).one(database.connection()).await?;
    found.map(tenant_from_row).transpose()
}

/// The slug of every tenant, by its id.
pub async fn slugs(database: &Database) -> Result<HashMap<String, String>> {
    let columns = [tenant::Column::Id, tenant::Column::Slug];
    let rows = tenant::Entity::find().select_only().columns(columns).into_tuple().all(database.connection()).await?;
    Ok(rows.into_iter().collect())
}

/// Every tenant, by slug, or this one alone.
pub async fn list(database: &Database, only: Option<&TenantId>) -> Result<Vec<TenantOverview>> {
    let connection = database.connection();
    let rows = tenant::Entity::find()
        .apply_if(only, |rows, id| rows.filter(tenant::Column::Id.eq(id.as_str())))
        .order_by_asc(tenant::Column::Slug)
        .all(connection)
        .await?;
    let active_keys = api_key::Entity::find()
        .apply_if(only, |keys, id| keys.filter(api_key::Column::TenantId.eq(id.as_str())))
        .filter(api_key::Column::Kind.eq(KeyKind::Tenant.as_str()))
        .filter(api_key::Column::RevokedAt.is_null());
    let active_keys = counts(connection, active_keys, api_key::Column::TenantId, api_key::Column::Id).await?;
    let people = person::Entity::find()
        .apply_if(only, |people, id| people.filter(person::Column::TenantId.eq(id.as_str())))
        .filter(person::Column::TenantId.is_not_null());
    let people = counts(connection, people, person::Column::TenantId, person::Column::Id).await?;
    let count = |counts: &HashMap<String, u64>, id: &TenantId| counts.get(id.as_str()).copied().unwrap_or_default();
    let overview = |row| {
        let tenant = tenant_from_row(row)?;
        let (active_keys, people) = (count(&active_keys, &tenant.id), count(&people, &tenant.id));
        Ok(TenantOverview { tenant, active_keys, people })
    };
    rows.into_iter().map(overview).collect()
}

/// Counts rows by tenant.
async fn counts<E: EntityTrait>(
    connection: &impl ConnectionTrait,
    rows: Select<E>,
    tenant: E::Column,
    id: E::Column,
) -> Result<HashMap<String, u64>> {
    let counted: Vec<(String, i64)> = rows
        .select_only()
        .column(tenant)
        .column_as(id.count(), "rows")
        .group_by(tenant)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(counted.into_iter().map(|(tenant, rows)| (tenant, rows.unsigned_abs())).collect())
}

pub async fn any(database: &Database) -> Result<bool> {
    Ok(tenant::Entity::find().count(database.connection()).await? > 0)
}

/// False when the slug is taken.
pub async fn insert(change: &AuditedTransaction, tenant: &Tenant) -> Result<bool> {
    let row = tenant::ActiveModel { created_at: Set(change.now()), ..active(tenant) };
    inserted(tenant::Entity::insert(row).exec_without_returning(change.on()).await)
}

pub async fn update(change: &AuditedTransaction, tenant: &Tenant) -> Result<()> {
    active(tenant).update(change.on()).await?;
    Ok(())
}
