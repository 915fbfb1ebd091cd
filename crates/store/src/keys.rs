//! API keys and their secrets.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    id::{Id, KeyId, PropertyId, TenantId},
    key::Key,
    key_draft::KeyTerms,
    property::PropertyScope,
    secret::{KeyKind, SecretHint},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait, Query},
};

use super::{
    AuditedTransaction, Result,
    entity::{api_key, api_key_property, api_key_secret, property},
    readable, to_lines,
};
use crate::model::{KeyScope, SecretRow};

pub mod holders;
pub mod list;
mod row;

pub use row::find_key;

/// The condition that every query of this module starts with.
fn on(key_scope: &KeyScope) -> Condition {
    Condition::all()
        .add(api_key::Column::TenantId.eq(key_scope.tenant.as_str()))
        .add(api_key::Column::Kind.eq(key_scope.kind().as_str()))
        .add_option(key_scope.owner().map(|owner| api_key::Column::OwnerId.eq(owner.as_str())))
}

/// Returns the number of keys that count towards the limit.
pub async fn count_active(connection: &impl ConnectionTrait, key_scope: &KeyScope) -> Result<u64> {
    let active = api_key::Entity::find().filter(on(key_scope)).filter(api_key::Column::RevokedAt.is_null());
    Ok(active.count(connection).await?)
}

/// Returns the tenant of a key and the key's kind, for the operator, who names keys by id alone.
pub async fn tenant_and_kind(connection: &impl ConnectionTrait, id: &KeyId) -> Result<Option<(TenantId, KeyKind)>> {
    let Some(row) = api_key::Entity::find_by_id(id.as_str()).one(connection).await? else { return Ok(None) };
    let tenant = readable("a tenant's id", &row.tenant_id, TenantId::parse(&row.tenant_id))?;
    Ok(Some((tenant, readable("a kind of key", &row.kind, KeyKind::parse(&row.kind).ok_or(()))?)))
}

/// Returns the oldest active key with this name.
pub async fn active_named(change: &AuditedTransaction, key_scope: &KeyScope, name: &str) -> Result<Option<KeyId>> {
    let active = on(key_scope).add(api_key::Column::RevokedAt.is_null()).add(api_key::Column::Name.eq(name));
    let row = api_key::Entity::find().filter(active).order_by_asc(api_key::Column::Id).one(change.on()).await?;
    row.map(|row| readable("a key's id", &row.id, KeyId::parse(&row.id))).transpose()
}

/// Returns the text that a search looks through. It is in lower case, because SQLite folds the case of ASCII only.
fn search_text(name: &str, description: &str, tail: &str) -> String {
    format!("{name}\n{description}\n{tail}").to_lowercase()
}

const SORTED_LETTERS: usize = 100;

/// Returns the collation key of a name.
fn sort_name(name: &str) -> String {
    name.to_lowercase().chars().take(SORTED_LETTERS).collect()
}

pub async fn insert(
    change: &AuditedTransaction,
    key_scope: &KeyScope,
    id: &KeyId,
    terms: &KeyTerms,
    expires_at: Option<DateTime<Utc>>,
    created_by: &str,
    secret: SecretRow<'_>,
) -> Result<()> {
    let row = api_key::ActiveModel {
        id: Set(id.to_string()),
        tenant_id: Set(key_scope.tenant.to_string()),
        kind: Set(key_scope.kind().as_str().to_owned()),
        owner_id: Set(key_scope.owner().map(ToString::to_string)),
        expires_at: Set(expires_at),
        created_at: Set(change.now()),
        created_by: Set(created_by.to_owned()),
        version: Set(1),
        ..active_terms(terms, secret.hint)
    };
    api_key::Entity::insert(row).exec_without_returning(change.on()).await?;
    insert_properties(change, id, &terms.reach).await?;
    insert_secret(change, id, secret).await
}

/// Destructured in full, so that a new field that is not stored does not compile.
fn active_terms(terms: &KeyTerms, hint: &SecretHint) -> api_key::ActiveModel {
    let KeyTerms { name, description, group, scopes, reach, allowed_ips, allowed_origins, rate_limit_per_minute } =
        terms;
    api_key::ActiveModel {
        name: Set(name.clone()),
        description: Set(description.clone()),
        group_id: Set(group.as_ref().map(ToString::to_string)),
        scopes: Set(scopes.to_string()),
        all_properties: Set(*reach == PropertyScope::All),
        allowed_ips: Set(to_lines(allowed_ips)),
        allowed_origins: Set(to_lines(allowed_origins)),
        rate_limit_per_minute: Set(i32::from(rate_limit_per_minute.per_minute())),
        search_text: Set(search_text(name, description, &hint.tail)),
        sort_name: Set(sort_name(name)),
        ..Default::default()
    }
}

async fn insert_properties(change: &AuditedTransaction, id: &KeyId, reach: &PropertyScope) -> Result<()> {
    let PropertyScope::Only(properties) = reach else { return Ok(()) };
    let row = |property: &PropertyId| api_key_property::ActiveModel {
        api_key_id: Set(id.to_string()),
        property_id: Set(property.to_string()),
    };
    api_key_property::Entity::insert_many(properties.iter().map(row)).exec_without_returning(change.on()).await?;
    Ok(())
}

async fn insert_secret(change: &AuditedTransaction, id: &KeyId, secret: SecretRow<'_>) -> Result<()> {
    let row = api_key_secret::ActiveModel {
        sha256: Set(secret.sha256.as_str().to_owned()),
        api_key_id: Set(id.to_string()),
        head: Set(secret.hint.head.clone()),
        tail: Set(secret.hint.tail.clone()),
        created_at: Set(change.now()),
        retires_at: Set(None),
        secret_id: Set(secret.id.to_string()),
    };
    api_key_secret::Entity::insert(row).exec_without_returning(change.on()).await?;
    Ok(())
}

/// Changes one active key. The columns that `row` leaves unset stay as they are.
async fn update(
    change: &AuditedTransaction,
    key_scope: &KeyScope,
    id: &KeyId,
    row: api_key::ActiveModel,
) -> Result<()> {
    api_key::Entity::update_many()
        .set(row)
        .col_expr(api_key::Column::Version, Expr::col(api_key::Column::Version).add(1))
        .filter(on(key_scope))
        .filter(api_key::Column::Id.eq(id.as_str()))
        .filter(api_key::Column::RevokedAt.is_null())
        .exec(change.on())
        .await?;
    Ok(())
}

/// Gives a key other terms; its secret stays.
pub async fn set_terms(change: &AuditedTransaction, key_scope: &KeyScope, key: &Key, terms: &KeyTerms) -> Result<()> {
    update(change, key_scope, &key.id, active_terms(terms, &key.hint)).await?;
    forget_properties(change, &key.id, &terms.reach).await?;
    insert_properties(change, &key.id, &terms.reach).await
}

/// Removes the key's properties before others are inserted. A key that stays restricted keeps its archived properties,
/// which the form does not show: they return once they are restored.
async fn forget_properties(change: &AuditedTransaction, id: &KeyId, reach: &PropertyScope) -> Result<()> {
    let mut picked = Condition::all().add(api_key_property::Column::ApiKeyId.eq(id.as_str()));
    if matches!(reach, PropertyScope::Only(_)) {
        let live = Query::select()
            .column(property::Column::Id)
            .from(property::Entity)
            .and_where(Expr::col(property::Column::ArchivedAt).is_null())
            .take();
        picked = picked.add(api_key_property::Column::PropertyId.in_subquery(live));
    }
    api_key_property::Entity::delete_many().filter(picked).exec(change.on()).await?;
    Ok(())
}

/// Gives a key a new secret and expiration. The old secret stays valid for the grace period; a secret still in an
/// earlier grace period ends now, so there are never more than two.
pub async fn replace_secret(
    change: &AuditedTransaction,
    key_scope: &KeyScope,
    key: &Key,
    secret: SecretRow<'_>,
    expires_at: Option<DateTime<Utc>>,
    grace: TimeDelta,
) -> Result<()> {
    retire_old_secrets(change, &key.id).await?;
    api_key_secret::Entity::update_many()
        .col_expr(api_key_secret::Column::RetiresAt, Expr::value(change.now() + grace))
        .filter(api_key_secret::Column::ApiKeyId.eq(key.id.as_str()))
        .filter(api_key_secret::Column::RetiresAt.is_null())
        .exec(change.on())
        .await?;
    insert_secret(change, &key.id, secret).await?;
    let row = api_key::ActiveModel {
        expires_at: Set(expires_at),
        search_text: Set(search_text(&key.name, &key.description, &secret.hint.tail)),
        ..Default::default()
    };
    update(change, key_scope, &key.id, row).await
}

/// Ends the grace period of a secret from before a rotation.
pub async fn end_grace(change: &AuditedTransaction, key_scope: &KeyScope, key: &Key) -> Result<()> {
    retire_old_secrets(change, &key.id).await?;
    update(change, key_scope, &key.id, api_key::ActiveModel::default()).await
}

async fn retire_old_secrets(change: &AuditedTransaction, key: &KeyId) -> Result<()> {
    api_key_secret::Entity::update_many()
        .col_expr(api_key_secret::Column::RetiresAt, Expr::value(change.now()))
        .filter(api_key_secret::Column::ApiKeyId.eq(key.as_str()))
        .filter(api_key_secret::Column::RetiresAt.gt(change.now()))
        .exec(change.on())
        .await?;
    Ok(())
}

pub async fn revoke(change: &AuditedTransaction, key_scope: &KeyScope, key: &Key, by: &str) -> Result<()> {
    let row = api_key::ActiveModel {
        revoked_at: Set(Some(change.now())),
        revoked_by: Set(Some(by.to_owned())),
        ..Default::default()
    };
    update(change, key_scope, &key.id, row).await
}

/// Removes a key with its secrets and usage, which go with their key's row.
pub async fn delete(change: &AuditedTransaction, key_scope: &KeyScope, id: &KeyId) -> Result<()> {
    api_key::Entity::delete_many()
        .filter(on(key_scope))
        .filter(api_key::Column::Id.eq(id.as_str()))
        .exec(change.on())
        .await?;
    Ok(())
}
