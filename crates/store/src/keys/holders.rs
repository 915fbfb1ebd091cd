//! The active keys that are restricted to a property or use a group.

use std::collections::HashMap;

use domain::id::{GroupId, Id, KeyId, PropertyId};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, RelationDef,
    sea_query::{Expr, ExprTrait, Query},
};

use super::{
    super::{
        Result,
        entity::{api_key, api_key_property},
        readable,
    },
    on,
};
use crate::model::{KeyName, KeyNames, KeyScope};

/// The maximum number of keys listed by name.
const MAX_NAMED_KEYS: u64 = 50;

#[derive(FromQueryResult)]
struct NameRow {
    id: String,
    name: String,
}

async fn names(connection: &impl ConnectionTrait, condition: Condition) -> Result<KeyNames> {
    let found = api_key::Entity::find().filter(condition);
    let count = found.clone().count(connection).await?;
    let rows: Vec<NameRow> = found
        .select_only()
        .column(api_key::Column::Id)
        .column(api_key::Column::Name)
        .order_by_asc(api_key::Column::SortName)
        .order_by_asc(api_key::Column::Id)
        .limit(MAX_NAMED_KEYS)
        .into_model()
        .all(connection)
        .await?;
    let read = |row: NameRow| -> Result<KeyName> {
        Ok(KeyName { id: readable("a key's id", &row.id, KeyId::parse(&row.id))?, name: row.name })
    };
    Ok(KeyNames { first: rows.into_iter().map(read).collect::<Result<_>>()?, count })
}

fn active(key_scope: &KeyScope) -> Condition {
    on(key_scope).add(api_key::Column::RevokedAt.is_null())
}

/// The keys that have a property in their selection, which those for all properties have.
pub async fn of_property(
    connection: &impl ConnectionTrait,
    key_scope: &KeyScope,
    property: &PropertyId,
) -> Result<KeyNames> {
    let picked = Query::select()
        .column(api_key_property::Column::ApiKeyId)
        .from(api_key_property::Entity)
        .and_where(Expr::col(api_key_property::Column::PropertyId).eq(property.as_str()))
        .take();
    let reaches =
        Condition::any().add(api_key::Column::AllProperties.eq(true)).add(api_key::Column::Id.in_subquery(picked));
    names(connection, active(key_scope).add(reaches)).await
}

/// The keys that have their permissions from a group.
pub async fn of_group(connection: &impl ConnectionTrait, key_scope: &KeyScope, group: &GroupId) -> Result<KeyNames> {
    names(connection, active(key_scope).add(api_key::Column::GroupId.eq(group.as_str()))).await
}

/// The number of keys restricted to each property.
pub struct PerProperty {
    all: u64,
    picked: HashMap<String, u64>,
}

impl PerProperty {
    pub fn count(&self, property: &PropertyId) -> u64 {
        self.all + self.picked.get(property.as_str()).copied().unwrap_or_default()
    }
}

#[derive(FromQueryResult)]
struct CountRow {
    property_id: String,
    keys: i64,
}

fn picked_by() -> RelationDef {
    api_key_property::Entity::belongs_to(api_key::Entity)
        .from(api_key_property::Column::ApiKeyId)
        .to(api_key::Column::Id)
        .into()
}

pub async fn per_property(connection: &impl ConnectionTrait, key_scope: &KeyScope) -> Result<PerProperty> {
    let for_all = active(key_scope).add(api_key::Column::AllProperties.eq(true));
    let all = api_key::Entity::find().filter(for_all).count(connection).await?;
    let rows: Vec<CountRow> = api_key_property::Entity::find()
        .select_only()
        .column(api_key_property::Column::PropertyId)
        .column_as(api_key_property::Column::ApiKeyId.count(), "keys")
        .join(JoinType::InnerJoin, picked_by())
        .filter(active(key_scope).add(api_key::Column::AllProperties.eq(false)))
        .group_by(api_key_property::Column::PropertyId)
        .into_model()
        .all(connection)
        .await?;
    let picked = rows.into_iter().map(|row| (row.property_id, row.keys.unsigned_abs())).collect();
    Ok(PerProperty { all, picked })
}
