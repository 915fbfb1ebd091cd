//! The look-up by a secret's hash: one query by its primary key, for all that the evaluator has to know.

use chrono::{DateTime, Utc};
use domain::{
    digest::SecretHash,
    id::{Id, KeyId, PersonId, PropertyId, SecretId, TenantId},
    key_record::{KeyRecord, Owner, TenantRecord},
    network,
    origin::Origin,
    permission::Permission,
    person::Role,
    property::PropertyScope,
    rate_limit::RateLimit,
    role_permissions::permissions_of_role,
    scope::Scopes,
    secret::KeyKind,
};
use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QuerySelect, RelationDef,
    sea_query::{Expr, ExprTrait, IntoCondition},
};

use super::{
    Database, Result,
    entity::{api_key, api_key_property, api_key_secret, authorization_group, person, property},
    from_lines, people, properties, readable, tenants,
};

/// One row for each property that the key is narrowed to, or a single one.
#[derive(FromQueryResult)]
struct Row {
    #[sea_orm(nested)]
    key: api_key::Model,
    secret_id: String,
    issued_at: DateTime<Utc>,
    retires_at: Option<DateTime<Utc>>,
    group_name: Option<String>,
    permissions: Option<String>,
    owner_name: Option<String>,
    owner_role: Option<String>,
    owner_switched_off_at: Option<DateTime<Utc>>,
    property_id: Option<String>,
}

fn secret() -> RelationDef {
    api_key::Entity::belongs_to(api_key_secret::Entity)
        .from(api_key::Column::Id)
        .to(api_key_secret::Column::ApiKeyId)
        .into()
}

fn group() -> RelationDef {
    api_key::Entity::belongs_to(authorization_group::Entity)
        .from(api_key::Column::GroupId)
        .to(authorization_group::Column::Id)
        .into()
}

fn owner() -> RelationDef {
    api_key::Entity::belongs_to(person::Entity).from(api_key::Column::OwnerId).to(person::Column::Id).into()
}

fn picked() -> RelationDef {
    api_key::Entity::belongs_to(api_key_property::Entity)
        .from(api_key::Column::Id)
        .to(api_key_property::Column::ApiKeyId)
        .into()
}

/// Archived properties are out of every key's reach, for as long as they are.
fn live_property() -> RelationDef {
    api_key_property::Entity::belongs_to(property::Entity)
        .from(api_key_property::Column::PropertyId)
        .to(property::Column::Id)
        .on_condition(|_, property| Expr::col((property, property::Column::ArchivedAt)).is_null().into_condition())
        .into()
}

/// Loads the key of a secret, in any state.
pub async fn find_key_record(database: &Database, hash: &SecretHash) -> Result<Option<KeyRecord>> {
    let rows = api_key::Entity::find()
        .join(JoinType::InnerJoin, secret())
        .join(JoinType::LeftJoin, group())
        .join(JoinType::LeftJoin, owner())
        .join(JoinType::LeftJoin, picked())
        .join(JoinType::LeftJoin, live_property())
        .column(api_key_secret::Column::SecretId)
        .column_as(api_key_secret::Column::CreatedAt, "issued_at")
        .column_as(api_key_secret::Column::RetiresAt, "retires_at")
        .column_as(authorization_group::Column::Name, "group_name")
        .column_as(authorization_group::Column::Permissions, "permissions")
        .column_as(person::Column::Name, "owner_name")
        .column_as(person::Column::Role, "owner_role")
        .column_as(person::Column::SwitchedOffAt, "owner_switched_off_at")
        .column_as(property::Column::Id, "property_id")
        .filter(api_key_secret::Column::Sha256.eq(hash.to_hex().as_str()))
        .into_model::<Row>()
        .all(database.connection())
        .await?;
    let permissions = match rows.first() {
        Some(row) => permissions(database, row).await?,
        None => return Ok(None),
    };
    record_from_rows(rows, permissions)
}

/// Returns the permissions of the group, or the owner's current ones.
async fn permissions(database: &Database, row: &Row) -> Result<Vec<Permission>> {
    let (Some(owner), Some(role)) = (&row.key.owner_id, &row.owner_role) else {
        return from_lines("a permission", row.permissions.as_deref().unwrap_or_default(), Permission::parse);
    };
    let role = people::role(role)?;
    let granted = match role {
        Role::Member => {
            let tenant = readable("a tenant's id", &row.key.tenant_id, TenantId::parse(&row.key.tenant_id))?;
            let owner = readable("a person's id", owner, PersonId::parse(owner))?;
            people::granted(database.connection(), &tenant, &owner).await?
        }
        Role::TenantAdmin | Role::SuperUser => Vec::new(),
    };
    Ok(permissions_of_role(role, granted))
}

fn record_from_rows(mut rows: Vec<Row>, permissions: Vec<Permission>) -> Result<Option<KeyRecord>> {
    let mut properties: Vec<PropertyId> = Vec::new();
    for id in rows.iter().filter_map(|row| row.property_id.as_deref()) {
        properties.push(readable("a property's id", id, PropertyId::parse(id))?);
    }
    properties.sort();
    let Some(row) = rows.pop() else { return Ok(None) };
    let owner = owner_of(&row)?;
    let key = row.key;
    let kind = [KeyKind::Tenant, KeyKind::Personal].into_iter().find(|kind| kind.as_str() == key.kind);
    let limit = u16::try_from(key.rate_limit_per_minute).ok().and_then(|limit| RateLimit::try_from(limit).ok());
    Ok(Some(KeyRecord {
        id: readable("a key's id", &key.id, KeyId::parse(&key.id))?,
        kind: readable("a key's kind", &key.kind, kind.ok_or(()))?,
        tenant: readable("a tenant's id", &key.tenant_id, TenantId::parse(&key.tenant_id))?,
        owner,
        group: row.group_name,
        permissions,
        scopes: readable("scopes", &key.scopes, Scopes::parse(&key.scopes))?,
        reach: if key.all_properties { PropertyScope::All } else { PropertyScope::Only(properties) },
        rate_limit: readable("a rate limit", &key.rate_limit_per_minute.to_string(), limit.ok_or(()))?,
        expires_at: key.expires_at,
        secret_id: readable("a secret's id", &row.secret_id, SecretId::parse(&row.secret_id))?,
        secret_issued_at: row.issued_at,
        secret_retires_at: row.retires_at,
        allowed_ips: from_lines("a range of addresses", &key.allowed_ips, str::parse::<network::IpNet>)?,
        allowed_origins: from_lines("an origin", &key.allowed_origins, Origin::parse)?,
        revoked_at: key.revoked_at,
        name: key.name,
    }))
}

fn owner_of(row: &Row) -> Result<Option<Owner>> {
    let Some(id) = &row.key.owner_id else { return Ok(None) };
    Ok(Some(Owner {
        id: readable("a person's id", id, PersonId::parse(id))?,
        name: row.owner_name.clone().unwrap_or_default(),
        is_active: row.owner_switched_off_at.is_none(),
    }))
}

/// Loads a tenant with its properties.
pub async fn find_tenant_record(database: &Database, id: &TenantId) -> Result<Option<TenantRecord>> {
    let Some(tenant) = tenants::find_tenant(database, id).await? else { return Ok(None) };
    Ok(Some(TenantRecord { properties: properties::ids(database, id).await?, tenant }))
}
