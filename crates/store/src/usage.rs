//! Usage of keys.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

use chrono::{DateTime, Utc};
use domain::{
    id::{Id, KeyId, PersonId},
    usage::LegacyMethod,
    usage_record::{Call, LegacyCount, UsageDelta},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DeleteMany, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, IntoValueTuple, LockType, OnConflict, Query, TableRef, ValueTuple},
};

use super::{
    Database, Result,
    entity::{api_key, legacy_use, usage_event, usage_hour},
};

/// Rows per statement: databases limit the number of bind parameters.
const ROWS: usize = 500;

/// Usage that is written in one transaction.
pub struct Batch<'a> {
    pub keys: Vec<(&'a KeyId, &'a UsageDelta)>,
    pub calls: &'a [Call],
    pub legacy: &'a HashMap<(PersonId, LegacyMethod), LegacyCount>,
}

/// Writes a batch, all of it or nothing.
///
/// Everything is written in key order, so that two nodes that write concurrently never deadlock.
pub async fn write(database: &Database, batch: &Batch<'_>) -> Result<()> {
    let transaction = database.begin().await?;
    let existing = lock_existing(transaction.on(), batch).await?;
    add_to_hours(transaction.on(), batch, &existing).await?;
    insert_calls(transaction.on(), batch, &existing).await?;
    set_last_uses(transaction.on(), batch, &existing).await?;
    add_to_legacy(transaction.on(), batch).await?;
    Ok(transaction.commit().await?)
}

/// The keys of the batch that still exist, and will until it is written: nothing is written about a deleted key.
async fn lock_existing(transaction: &DatabaseTransaction, batch: &Batch<'_>) -> Result<BTreeSet<String>> {
    let used = batch.keys.iter().map(|(key, _)| key.as_str());
    let keys: BTreeSet<&str> = used.chain(batch.calls.iter().map(|call| call.key.as_str())).collect();
    let keys: Vec<&str> = keys.into_iter().collect();
    let mut existing = BTreeSet::new();
    for some in keys.chunks(ROWS) {
        let found: Vec<String> = api_key::Entity::find()
            .select_only()
            .column(api_key::Column::Id)
            .filter(api_key::Column::Id.is_in(some.iter().copied()))
            .order_by_asc(api_key::Column::Id)
            .lock(LockType::NoKeyUpdate)
            .into_tuple()
            .all(transaction)
            .await?;
        existing.extend(found);
    }
    Ok(existing)
}

async fn add_to_hours(connection: &impl ConnectionTrait, batch: &Batch<'_>, existing: &BTreeSet<String>) -> Result<()> {
    let mut rows: Vec<usage_hour::ActiveModel> = Vec::new();
    for (key, delta) in batch.keys.iter().filter(|(key, _)| existing.contains(key.as_str())) {
        rows.extend(delta.hours.iter().map(|(hour, verdict, count)| usage_hour::ActiveModel {
            api_key_id: Set(key.to_string()),
            hour: Set(*hour),
            outcome: Set(verdict.as_str().to_owned()),
            count: Set(*count),
        }));
    }
    let count = (usage_hour::Entity, usage_hour::Column::Count);
    let more = Expr::col(("excluded", usage_hour::Column::Count));
    let add =
        OnConflict::columns([usage_hour::Column::ApiKeyId, usage_hour::Column::Hour, usage_hour::Column::Outcome])
            .value(usage_hour::Column::Count, Expr::col(count).add(more))
            .to_owned();
    for some in rows.chunks(ROWS) {
        usage_hour::Entity::insert_many(some.to_vec())
            .on_conflict(add.clone())
            .exec_without_returning(connection)
            .await?;
    }
    Ok(())
}

fn format_address(address: IpAddr) -> String {
    address.to_canonical().to_string()
}

async fn insert_calls(connection: &impl ConnectionTrait, batch: &Batch<'_>, existing: &BTreeSet<String>) -> Result<()> {
    let rows: Vec<usage_event::ActiveModel> = batch
        .calls
        .iter()
        .filter(|call| existing.contains(call.key.as_str()))
        .map(|Call { key, secret_id, used, details }| usage_event::ActiveModel {
            api_key_id: Set(key.to_string()),
            at: Set(used.at),
            method: Set(details.method.to_owned()),
            route: Set(details.route.clone().into_owned()),
            status: Set(i32::from(details.status)),
            outcome: Set(used.verdict.as_str().to_owned()),
            ip: Set(used.address.map(format_address)),
            secret_id: Set(secret_id.as_ref().map(ToString::to_string)),
            request_id: Set(Some(details.request_id.to_string())),
            duration_us: Set(Some(details.duration.as_micros().try_into().unwrap_or(i32::MAX))),
            ..Default::default()
        })
        .collect();
    for some in rows.chunks(ROWS) {
        usage_event::Entity::insert_many(some.to_vec()).exec_without_returning(connection).await?;
    }
    Ok(())
}

/// Another node may have seen a key later than we did.
async fn set_last_uses(
    connection: &impl ConnectionTrait,
    batch: &Batch<'_>,
    existing: &BTreeSet<String>,
) -> Result<()> {
    const SEEN: &str = "seen";
    let [id, at, ip] = ["column1", "column2", "column3"].map(|column| Expr::col((SEEN, column)));
    let column = |column| Expr::col((api_key::Entity, column));
    let earlier = column(api_key::Column::LastUsedAt).is_null().or(column(api_key::Column::LastUsedAt).lt(at.clone()));
    let seen: Vec<ValueTuple> = batch
        .keys
        .iter()
        .filter(|(key, _)| existing.contains(key.as_str()))
        .filter_map(|(key, delta)| Some((key.as_str(), delta.last?)))
        .map(|(id, last)| (id, last.at, last.address.map(format_address)).into_value_tuple())
        .collect();
    for some in seen.chunks(ROWS) {
        let update = Query::update()
            .table(api_key::Entity)
            .value(api_key::Column::LastUsedAt, at.clone())
            .value(api_key::Column::LastUsedIp, ip.clone())
            .from(TableRef::ValuesList(some.to_vec(), SEEN.into()))
            .and_where(column(api_key::Column::Id).eq(id.clone()))
            .and_where(earlier.clone())
            .take();
        connection.execute(&update).await?;
    }
    Ok(())
}

async fn add_to_legacy(connection: &impl ConnectionTrait, batch: &Batch<'_>) -> Result<()> {
    let ours = |column| Expr::col((legacy_use::Entity, column));
    let theirs = |column| Expr::col(("excluded", column));
    let add = OnConflict::columns([legacy_use::Column::PersonId, legacy_use::Column::Method])
        .update_column(legacy_use::Column::LastSeenAt)
        .value(legacy_use::Column::Count, ours(legacy_use::Column::Count).add(theirs(legacy_use::Column::Count)))
        .to_owned();
    for ((person, method), seen) in batch.legacy.iter().collect::<BTreeMap<_, _>>() {
        let row = legacy_use::ActiveModel {
            person_id: Set(person.to_string()),
            method: Set(method.as_str().to_owned()),
            first_seen_at: Set(seen.first),
            last_seen_at: Set(seen.last),
            count: Set(seen.count),
        };
        legacy_use::Entity::insert(row).on_conflict(add.clone()).exec_without_returning(connection).await?;
    }
    Ok(())
}

/// Rows deleted per statement, so that other writers get their turn.
const OLD_ROWS: u64 = 5_000;

/// Deletes some of the single calls from before an instant, and says how many.
pub async fn delete_calls_before(database: &Database, end: DateTime<Utc>) -> Result<u64> {
    let some = Query::select()
        .column(usage_event::Column::Id)
        .from(usage_event::Entity)
        .and_where(usage_event::Column::At.lt(end))
        .limit(OLD_ROWS)
        .take();
    delete_batch(database, usage_event::Entity::delete_many().filter(usage_event::Column::Id.in_subquery(some))).await
}

/// Deletes some of the counts of the hours before an instant, and says how many.
pub async fn delete_hours_before(database: &Database, end: DateTime<Utc>) -> Result<u64> {
    let columns = [usage_hour::Column::ApiKeyId, usage_hour::Column::Hour, usage_hour::Column::Outcome];
    let some = Query::select()
        .columns(columns)
        .from(usage_hour::Entity)
        .and_where(usage_hour::Column::Hour.lt(end))
        .limit(OLD_ROWS)
        .take();
    let place = Expr::tuple(columns.map(Expr::col));
    delete_batch(database, usage_hour::Entity::delete_many().filter(place.in_subquery(some))).await
}

async fn delete_batch<E: EntityTrait>(database: &Database, batch: DeleteMany<E>) -> Result<u64> {
    let transaction = database.begin().await?;
    let deleted = batch.exec(transaction.on()).await?;
    transaction.commit().await?;
    Ok(deleted.rows_affected)
}
