//! What keys were used for.

use chrono::{DateTime, Utc};
use domain::id::{Id, KeyId, TenantId};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::{
    Database, Result,
    entity::{api_key, usage_event, usage_hour},
};

/// One call with a key.
pub(crate) struct Call {
    pub(crate) at: DateTime<Utc>,
    pub(crate) method: &'static str,
    pub(crate) route: &'static str,
    pub(crate) status: u16,
    pub(crate) outcome: &'static str,
    pub(crate) ip: &'static str,
}

/// Counts of one hour of a key.
pub(crate) struct HourCount {
    pub(crate) hour: DateTime<Utc>,
    pub(crate) outcome: &'static str,
    pub(crate) count: i64,
}

/// Writes down calls and counts of the past, and the last of the calls as the key's last use.
pub(crate) async fn record(
    database: &Database,
    tenant: &TenantId,
    key: &KeyId,
    calls: &[Call],
    hours: &[HourCount],
) -> Result<()> {
    let (transaction, _turn) = database.begin().await?;
    let events = calls.iter().map(|call| usage_event::ActiveModel {
        api_key_id: Set(key.to_string()),
        at: Set(call.at),
        method: Set(call.method.to_owned()),
        route: Set(call.route.to_owned()),
        status: Set(i32::from(call.status)),
        outcome: Set(call.outcome.to_owned()),
        ip: Set(call.ip.to_owned()),
        ..Default::default()
    });
    usage_event::Entity::insert_many(events).exec_without_returning(&transaction).await?;
    let counts = hours.iter().map(|hour| usage_hour::ActiveModel {
        api_key_id: Set(key.to_string()),
        hour: Set(hour.hour),
        outcome: Set(hour.outcome.to_owned()),
        count: Set(hour.count),
    });
    usage_hour::Entity::insert_many(counts).exec_without_returning(&transaction).await?;
    if let Some(last) = calls.iter().max_by_key(|call| call.at) {
        api_key::Entity::update_many()
            .col_expr(api_key::Column::LastUsedAt, Expr::value(last.at))
            .col_expr(api_key::Column::LastUsedIp, Expr::value(last.ip))
            .filter(api_key::Column::TenantId.eq(tenant.as_str()))
            .filter(api_key::Column::Id.eq(key.as_str()))
            .exec(&transaction)
            .await?;
    }
    Ok(transaction.commit().await?)
}
