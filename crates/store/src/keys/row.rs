//! A key with all that is shown of it, as one row of a query that joins its secrets, its group and its people.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{
    id::{GroupId, Id, KeyId, PersonId, PropertyId},
    key::{GroupName, Key, KeyOwner},
    network,
    origin::Origin,
    property::PropertyScope,
    rate_limit::RateLimit,
    scope::Scopes,
    secret::SecretHint,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QuerySelect,
    RelationDef, Select,
    sea_query::{Expr, ExprTrait, IntoCondition},
};

use super::{
    super::{
        Result,
        entity::{api_key, api_key_property, api_key_secret, authorization_group, person, property},
        from_lines, readable,
    },
    on,
};
use crate::model::KeyScope;

#[derive(FromQueryResult)]
pub(super) struct KeyRow {
    #[sea_orm(nested)]
    key: api_key::Model,
    head: String,
    tail: String,
    secret_created_at: DateTime<Utc>,
    group_name: Option<String>,
    owner_name: Option<String>,
    creator: Option<String>,
    revoker: Option<String>,
    old_secret_until: Option<DateTime<Utc>>,
}

const LIVE_ALIAS: &str = "live";
const OLD_ALIAS: &str = "old";
const OWNER_ALIAS: &str = "owner";
const CREATOR_ALIAS: &str = "creator";
const REVOKER_ALIAS: &str = "revoker";

fn live_secret() -> RelationDef {
    api_key::Entity::belongs_to(api_key_secret::Entity)
        .from(api_key::Column::Id)
        .to(api_key_secret::Column::ApiKeyId)
        .on_condition(|_, secret| Expr::col((secret, api_key_secret::Column::RetiresAt)).is_null().into_condition())
        .into()
}

/// The secret in its grace period, of which there is one at most.
fn old_secret(now: DateTime<Utc>) -> RelationDef {
    api_key::Entity::belongs_to(api_key_secret::Entity)
        .from(api_key::Column::Id)
        .to(api_key_secret::Column::ApiKeyId)
        .on_condition(move |_, secret| Expr::col((secret, api_key_secret::Column::RetiresAt)).gt(now).into_condition())
        .into()
}

fn group() -> RelationDef {
    api_key::Entity::belongs_to(authorization_group::Entity)
        .from(api_key::Column::GroupId)
        .to(authorization_group::Column::Id)
        .into()
}

fn person(column: api_key::Column) -> RelationDef {
    api_key::Entity::belongs_to(person::Entity).from(column).to(person::Column::Id).into()
}

pub(super) fn select(key_scope: &KeyScope, now: DateTime<Utc>) -> Select<api_key::Entity> {
    api_key::Entity::find()
        .join_as(JoinType::InnerJoin, live_secret(), LIVE_ALIAS)
        .join_as(JoinType::LeftJoin, old_secret(now), OLD_ALIAS)
        .join(JoinType::LeftJoin, group())
        .join_as(JoinType::LeftJoin, person(api_key::Column::OwnerId), OWNER_ALIAS)
        .join_as(JoinType::LeftJoin, person(api_key::Column::CreatedBy), CREATOR_ALIAS)
        .join_as(JoinType::LeftJoin, person(api_key::Column::RevokedBy), REVOKER_ALIAS)
        .column_as(Expr::col((LIVE_ALIAS, api_key_secret::Column::Head)), "head")
        .column_as(Expr::col((LIVE_ALIAS, api_key_secret::Column::Tail)), "tail")
        .column_as(Expr::col((LIVE_ALIAS, api_key_secret::Column::CreatedAt)), "secret_created_at")
        .column_as(Expr::col((OLD_ALIAS, api_key_secret::Column::RetiresAt)), "old_secret_until")
        .column_as(authorization_group::Column::Name, "group_name")
        .column_as(Expr::col((OWNER_ALIAS, person::Column::Name)), "owner_name")
        .column_as(Expr::col((CREATOR_ALIAS, person::Column::Name)), "creator")
        .column_as(Expr::col((REVOKER_ALIAS, person::Column::Name)), "revoker")
        .filter(on(key_scope))
}

/// One key of the shelf.
pub async fn find_key(
    connection: &impl ConnectionTrait,
    key_scope: &KeyScope,
    id: &KeyId,
    now: DateTime<Utc>,
) -> Result<Option<Key>> {
    let rows = select(key_scope, now).filter(api_key::Column::Id.eq(id.as_str())).into_model().all(connection).await?;
    Ok(read_all(connection, rows).await?.pop())
}

/// Archived properties are out of every key's reach, for as long as they are.
fn live_property() -> RelationDef {
    api_key_property::Entity::belongs_to(property::Entity)
        .from(api_key_property::Column::PropertyId)
        .to(property::Column::Id)
        .on_condition(|_, property| Expr::col((property, property::Column::ArchivedAt)).is_null().into_condition())
        .into()
}

/// The keys of these rows, each with its properties.
pub(super) async fn read_all(connection: &impl ConnectionTrait, rows: Vec<KeyRow>) -> Result<Vec<Key>> {
    let mut properties = properties_of(connection, &rows).await?;
    rows.into_iter()
        .map(|row| {
            let only = properties.remove(&row.key.id).unwrap_or_default();
            key_from_row(row, only)
        })
        .collect()
}

async fn properties_of(connection: &impl ConnectionTrait, rows: &[KeyRow]) -> Result<HashMap<String, Vec<PropertyId>>> {
    let narrowed: Vec<&str> =
        rows.iter().filter(|row| !row.key.all_properties).map(|row| row.key.id.as_str()).collect();
    let mut properties: HashMap<String, Vec<PropertyId>> = HashMap::new();
    if narrowed.is_empty() {
        return Ok(properties);
    }
    let picked = api_key_property::Entity::find()
        .join(JoinType::InnerJoin, live_property())
        .filter(Condition::all().add(api_key_property::Column::ApiKeyId.is_in(narrowed)))
        .all(connection)
        .await?;
    for row in picked {
        let id = readable("a property's id", &row.property_id, PropertyId::parse(&row.property_id))?;
        properties.entry(row.api_key_id).or_default().push(id);
    }
    for ids in properties.values_mut() {
        ids.sort();
    }
    Ok(properties)
}

fn key_from_row(row: KeyRow, only: Vec<PropertyId>) -> Result<Key> {
    let KeyRow { key, head, tail, secret_created_at, group_name, owner_name, creator, revoker, old_secret_until } = row;
    let limit = u16::try_from(key.rate_limit_per_minute).ok().and_then(|limit| RateLimit::try_from(limit).ok());
    Ok(Key {
        id: readable("a key's id", &key.id, KeyId::parse(&key.id))?,
        hint: SecretHint { head, tail },
        group: self::group_name(key.group_id, group_name)?,
        owner: key_owner(key.owner_id, owner_name)?,
        scopes: readable("scopes", &key.scopes, Scopes::parse(&key.scopes))?,
        reach: if key.all_properties { PropertyScope::All } else { PropertyScope::Only(only) },
        allowed_ips: from_lines("a range of addresses", &key.allowed_ips, str::parse::<network::IpNet>)?,
        allowed_origins: from_lines("an origin", &key.allowed_origins, Origin::parse)?,
        rate_limit_per_minute: readable("a rate limit", &key.rate_limit_per_minute.to_string(), limit.ok_or(()))?,
        expires_at: key.expires_at,
        created_at: key.created_at,
        created_by: name_of(creator, &key.created_by),
        revoked_at: key.revoked_at,
        revoked_by: key.revoked_by.map(|id| name_of(revoker, &id)),
        last_used_at: key.last_used_at,
        last_used_ip: key.last_used_ip,
        secret_created_at,
        old_secret_until: old_secret_until.filter(|_| key.revoked_at.is_none()),
        version: key.version,
        name: key.name,
        description: key.description,
    })
}

fn group_name(id: Option<String>, name: Option<String>) -> Result<Option<GroupName>> {
    let Some(id) = id else { return Ok(None) };
    let name = name.unwrap_or_default();
    Ok(Some(GroupName { id: readable("a group's id", &id, GroupId::parse(&id))?, name }))
}

fn key_owner(id: Option<String>, name: Option<String>) -> Result<Option<KeyOwner>> {
    let Some(id) = id else { return Ok(None) };
    let name = name.unwrap_or_default();
    Ok(Some(KeyOwner { id: readable("a person's id", &id, PersonId::parse(&id))?, name }))
}

/// Returns a person's name, or the operator for a command.
fn name_of(person: Option<String>, id: &str) -> String {
    person.unwrap_or_else(|| if id == "operator" { "Operator".to_owned() } else { id.to_owned() })
}
