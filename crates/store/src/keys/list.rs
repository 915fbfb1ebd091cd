//! One page of a tenant's keys: a query for the rows, and one that counts.

use chrono::{DateTime, Utc};
use domain::{
    key::{SOON, Status, Validity},
    key_list::{Column, KeyListQuery, KeyPage, PAGE_SIZE, Sort},
    key_warning::{KeyWarning, OLD_AFTER, UNUSED_AFTER},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, Order, QueryFilter, QueryOrder, QuerySelect,
    Select,
    sea_query::{CaseStatement, Expr, ExprTrait, Func, LikeExpr, NullOrdering, Query, SimpleExpr},
};

use super::{
    super::{
        Result,
        entity::{api_key, api_key_secret},
    },
    on, row,
};
use crate::model::KeyScope;

/// The keys on the page that was asked for.
pub async fn page(
    connection: &impl ConnectionTrait,
    key_scope: &KeyScope,
    query: &KeyListQuery,
    now: DateTime<Utc>,
) -> Result<KeyPage> {
    let rows = sorted(row::select(key_scope, now).filter(matching(query, now)), query.sort)
        .offset(u64::from(query.page) * u64::from(PAGE_SIZE))
        .limit(u64::from(PAGE_SIZE))
        .into_model()
        .all(connection)
        .await?;
    let counts = count(connection, key_scope, query, now).await?;
    Ok(KeyPage {
        keys: row::read_all(connection, rows).await?,
        matching: counts.matching.unwrap_or_default().unsigned_abs(),
        total: counts.total.unsigned_abs(),
        active: counts.active.unwrap_or_default().unsigned_abs(),
    })
}

#[derive(FromQueryResult)]
struct Counts {
    total: i64,
    /// Sums over no rows are null.
    active: Option<i64>,
    matching: Option<i64>,
}

async fn count(
    connection: &impl ConnectionTrait,
    key_scope: &KeyScope,
    query: &KeyListQuery,
    now: DateTime<Utc>,
) -> Result<Counts> {
    let active = Condition::all().add(api_key::Column::RevokedAt.is_null());
    let counted = api_key::Entity::find()
        .select_only()
        .column_as(Expr::col((api_key::Entity, api_key::Column::Id)).count(), "total")
        .column_as(sum_of(active), "active")
        .column_as(sum_of(matching(query, now)), "matching")
        .filter(on(key_scope))
        .into_model::<Counts>()
        .one(connection)
        .await?;
    Ok(counted.unwrap_or(Counts { total: 0, active: None, matching: None }))
}

/// Counts the rows that meet a condition.
fn sum_of(condition: Condition) -> SimpleExpr {
    let one_or_none = CaseStatement::new().case(condition, 1).finally(0);
    Func::sum(one_or_none).into()
}

fn matching(query: &KeyListQuery, now: DateTime<Utc>) -> Condition {
    let expires_at = api_key::Column::ExpiresAt;
    let later_than = |instant| Condition::any().add(expires_at.is_null()).add(expires_at.gt(instant));
    // Always one condition at least: an empty one would be no SQL.
    let mut condition = Condition::all().add(Expr::value(true).eq(true));
    condition = match query.status {
        None => condition,
        Some(Status::Active) => condition.add(api_key::Column::RevokedAt.is_null()),
        Some(Status::Revoked) => condition.add(api_key::Column::RevokedAt.is_not_null()),
    };
    condition = match query.validity {
        None => condition,
        Some(Validity::Valid) => condition.add(later_than(now + SOON)),
        Some(Validity::ExpiringSoon) => condition.add(expires_at.gt(now)).add(expires_at.lte(now + SOON)),
        Some(Validity::Expired) => condition.add(expires_at.lte(now)),
    };
    condition = match query.attention {
        None => condition,
        Some(attention) => condition.add(needing(attention, now)),
    };
    if query.search.is_empty() {
        return condition;
    }
    let column = Expr::col((api_key::Entity, api_key::Column::SearchText));
    condition.add(column.like(LikeExpr::new(containing(&query.search)).escape('\\')))
}

/// The rules of [`KeyWarning::applies_to`], in SQL.
fn needing(attention: KeyWarning, now: DateTime<Utc>) -> Condition {
    let last_used_at = api_key::Column::LastUsedAt;
    Condition::all().add(api_key::Column::RevokedAt.is_null()).add(match attention {
        KeyWarning::NeverUsed => last_used_at.is_null(),
        KeyWarning::Unused => last_used_at.lte(now - UNUSED_AFTER),
        KeyWarning::OldSecret => has_secret_from_before(now - OLD_AFTER),
    })
}

/// Matches keys whose current secret existed at an instant.
fn has_secret_from_before(instant: DateTime<Utc>) -> SimpleExpr {
    let secret = api_key_secret::Entity;
    let live = Query::select()
        .expr(Expr::value(1))
        .from(secret)
        .and_where(Expr::col((secret, api_key_secret::Column::ApiKeyId)).equals((api_key::Entity, api_key::Column::Id)))
        .and_where(api_key_secret::Column::RetiresAt.is_null())
        .and_where(api_key_secret::Column::CreatedAt.lte(instant))
        .take();
    Expr::exists(live)
}

fn containing(search: &str) -> String {
    let literal = search.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{literal}%")
}

/// A key that never expires sorts as the latest of all, one that was never used as the earliest.
fn sorted(select: Select<api_key::Entity>, sort: Sort) -> Select<api_key::Entity> {
    let order = if sort.descending { Order::Desc } else { Order::Asc };
    let (column, nulls) = match (sort.column, sort.descending) {
        (Column::Name, _) => (api_key::Column::SortName, None),
        (Column::Created, _) => (api_key::Column::CreatedAt, None),
        (Column::Expires, false) => (api_key::Column::ExpiresAt, Some(NullOrdering::Last)),
        (Column::Expires, true) => (api_key::Column::ExpiresAt, Some(NullOrdering::First)),
        (Column::LastUsed, false) => (api_key::Column::LastUsedAt, Some(NullOrdering::First)),
        (Column::LastUsed, true) => (api_key::Column::LastUsedAt, Some(NullOrdering::Last)),
    };
    let by_column = match nulls {
        Some(nulls) => select.order_by_with_nulls(column, order.clone(), nulls),
        None => select.order_by(column, order.clone()),
    };
    by_column.order_by(api_key::Column::Id, order)
}
