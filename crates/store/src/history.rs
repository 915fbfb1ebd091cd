//! Reading what keys were used for, and who still calls with a password.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    id::{Id, KeyId, SecretId, TenantId},
    person::Email,
    usage::{Call, LOG_DAYS, LOG_PAGE_SIZE, LegacyMethod, LegacyUser, LogPage, Position, Start},
    verdict::Verdict,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder,
    QuerySelect, Select,
};

use super::{
    Result,
    entity::{api_key, legacy_use, person, usage_event, usage_hour},
    pagination::{self, Direction, Log},
    readable,
};

/// The number of calls with one outcome in one hour.
pub struct HourCount {
    pub hour: DateTime<Utc>,
    pub outcome: Verdict,
    pub count: u64,
}

fn outcome(text: &str) -> Result<Verdict> {
    readable("an outcome", text, Verdict::parse(text).ok_or(()))
}

/// Returns a key's counts since an hour.
pub async fn hours(
    connection: &impl ConnectionTrait,
    tenant: &TenantId,
    key: &KeyId,
    since: DateTime<Utc>,
) -> Result<Vec<HourCount>> {
    let of_key =
        usage_hour::Entity::belongs_to(api_key::Entity).from(usage_hour::Column::ApiKeyId).to(api_key::Column::Id);
    let rows = usage_hour::Entity::find()
        .join(JoinType::InnerJoin, of_key.into())
        .filter(api_key::Column::TenantId.eq(tenant.as_str()))
        .filter(usage_hour::Column::ApiKeyId.eq(key.as_str()))
        .filter(usage_hour::Column::Hour.gte(since))
        .all(connection)
        .await?;
    let read = |row: usage_hour::Model| {
        Ok(HourCount { hour: row.hour, outcome: outcome(&row.outcome)?, count: row.count.unsigned_abs() })
    };
    rows.into_iter().map(read).collect()
}

/// One page of a key's log.
pub async fn log(
    connection: &impl ConnectionTrait,
    tenant: &TenantId,
    key: &KeyId,
    filter: Option<Verdict>,
    start: Start,
    now: DateTime<Utc>,
) -> Result<LogPage> {
    let mut select = kept(tenant, key, now);
    if let Some(outcome) = filter {
        select = select.filter(usage_event::Column::Outcome.eq(outcome.as_str()));
    }
    pagination::page(connection, select, start).await
}

/// The calls of a key that the log still keeps.
fn kept(tenant: &TenantId, key: &KeyId, now: DateTime<Utc>) -> Select<usage_event::Entity> {
    let of_key =
        usage_event::Entity::belongs_to(api_key::Entity).from(usage_event::Column::ApiKeyId).to(api_key::Column::Id);
    usage_event::Entity::find()
        .join(JoinType::InnerJoin, of_key.into())
        .filter(api_key::Column::TenantId.eq(tenant.as_str()))
        .filter(usage_event::Column::ApiKeyId.eq(key.as_str()))
        .filter(usage_event::Column::At.gt(now - TimeDelta::days(LOG_DAYS)))
}

impl Log for usage_event::Entity {
    type Entry = Call;
    const PAGE_SIZE: usize = LOG_PAGE_SIZE;

    fn sorted(select: Select<Self>, toward: Direction) -> Select<Self> {
        select.order_by(usage_event::Column::At, toward.order()).order_by(usage_event::Column::Id, toward.order())
    }

    /// The first condition is what an index is read by, the second parts the calls of one instant.
    fn beyond(select: Select<Self>, Position { at, number }: Position, toward: Direction) -> Select<Self> {
        let (column, id) = (usage_event::Column::At, usage_event::Column::Id);
        let any = Condition::any();
        match toward {
            Direction::Older => select.filter(column.lte(at)).filter(any.add(column.lt(at)).add(id.lt(number))),
            Direction::Newer => select.filter(column.gte(at)).filter(any.add(column.gt(at)).add(id.gt(number))),
        }
    }

    fn read(row: usage_event::Model) -> Result<Call> {
        Ok(Call {
            position: Position { at: row.at, number: row.id },
            method: row.method,
            route: row.route,
            status: readable("a status", &row.status.to_string(), u16::try_from(row.status))?,
            outcome: outcome(&row.outcome)?,
            ip: row.ip,
            secret_id: row.secret_id.map(|id| readable("a secret's id", &id, SecretId::parse(&id))).transpose()?,
            request_id: row.request_id,
            duration: row.duration_us.map(|micros| Duration::from_micros(micros.unsigned_abs().into())),
        })
    }
}

#[derive(FromQueryResult)]
struct LegacyRow {
    name: String,
    email: String,
    method: String,
    first_seen_at: DateTime<Utc>,
    last_seen_at: DateTime<Utc>,
    count: i64,
}

/// The tenant's people who still call with a password of their own, the latest first.
pub async fn legacy_users(connection: &impl ConnectionTrait, tenant: &TenantId) -> Result<Vec<LegacyUser>> {
    let of_person =
        legacy_use::Entity::belongs_to(person::Entity).from(legacy_use::Column::PersonId).to(person::Column::Id);
    let rows = legacy_use::Entity::find()
        .join(JoinType::InnerJoin, of_person.into())
        .column(person::Column::Name)
        .column(person::Column::Email)
        .filter(person::Column::TenantId.eq(tenant.as_str()))
        .order_by_desc(legacy_use::Column::LastSeenAt)
        .order_by_asc(person::Column::Email)
        .into_model::<LegacyRow>()
        .all(connection)
        .await?;
    rows.into_iter().map(legacy_user).collect()
}

fn legacy_user(row: LegacyRow) -> Result<LegacyUser> {
    Ok(LegacyUser {
        email: readable("an e-mail address", &row.email, Email::parse(&row.email))?,
        method: readable("a legacy method", &row.method, LegacyMethod::parse(&row.method).ok_or(()))?,
        name: row.name,
        first_seen_at: row.first_seen_at,
        last_seen_at: row.last_seen_at,
        count: row.count.unsigned_abs(),
    })
}
