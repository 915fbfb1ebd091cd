//! Failed attempts to sign in. All nodes count in the same rows, so that an attacker gains nothing from their number.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use domain::{digest::Sha256Hex, id::PersonId};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QueryTrait,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType, OnConflict, Query},
};

use super::{
    AuditedTransaction, Database, Result,
    entity::failed_attempt::{self, Column},
    readable,
};

/// A counter, identified by its kind and subject.
#[derive(Debug, Clone, Copy)]
pub struct Counter<'a> {
    pub kind: &'static str,
    pub subject: &'a Sha256Hex,
    /// The person that all failures of the counter concern.
    pub person: Option<&'a PersonId>,
    /// The address of the last failure, if the counter records one.
    pub address: Option<IpAddr>,
}

/// The state of a counter.
#[derive(Debug, Clone)]
pub struct Count {
    pub kind: String,
    pub since: DateTime<Utc>,
    pub failures: i32,
}

fn count_from_row(row: &failed_attempt::Model) -> Count {
    Count { kind: row.kind.clone(), since: row.since, failures: row.failures }
}

fn is(counter: &Counter<'_>) -> Condition {
    Condition::all().add(Column::Kind.eq(counter.kind)).add(Column::Subject.eq(counter.subject.as_str()))
}

/// Returns the counters whose window began after `expired`.
pub async fn find_count(
    connection: &impl ConnectionTrait,
    counters: &[Counter<'_>],
    expired: DateTime<Utc>,
) -> Result<Vec<Count>> {
    let any = counters.iter().fold(Condition::any(), |any, counter| any.add(is(counter)));
    let rows = failed_attempt::Entity::find().filter(any).filter(Column::Since.gt(expired)).all(connection).await?;
    Ok(rows.iter().map(count_from_row).collect())
}

/// Adds a failure to each counter and returns them as they are now. A counter whose window began at
/// `expired` or before starts again.
pub async fn add(
    database: &Database,
    counters: &[Counter<'_>],
    now: DateTime<Utc>,
    expired: DateTime<Utc>,
) -> Result<Vec<Count>> {
    let mut counters = counters.to_vec();
    // Concurrent statements lock the rows that they share in the same order.
    counters.sort_by_key(|counter| (counter.kind, counter.subject.as_str().to_owned()));
    let rows = counters.into_iter().map(|counter| failed_attempt::ActiveModel {
        kind: Set(counter.kind.to_owned()),
        subject: Set(counter.subject.as_str().to_owned()),
        since: Set(now),
        failures: Set(1),
        person_id: Set(counter.person.map(ToString::to_string)),
        address: Set(counter.address.map(|address| address.to_canonical().to_string())),
        reported: Set(false),
    });
    let stored = |column| Expr::col((failed_attempt::Entity, column));
    let new = |column| Expr::col(("excluded", column));
    let starts_again = || stored(Column::Since).lte(expired);
    let add = OnConflict::columns([Column::Kind, Column::Subject])
        .value(
            Column::Failures,
            Expr::case(starts_again(), new(Column::Failures))
                .finally(stored(Column::Failures).add(new(Column::Failures))),
        )
        .value(Column::Since, Expr::case(starts_again(), new(Column::Since)).finally(stored(Column::Since)))
        .value(Column::Reported, Expr::case(starts_again(), new(Column::Reported)).finally(stored(Column::Reported)))
        .update_columns([Column::PersonId, Column::Address])
        .to_owned();
    let mut insert = failed_attempt::Entity::insert_many(rows).on_conflict(add).into_query();
    insert.returning_all();
    let transaction = database.begin().await?;
    let rows = transaction.on().query_all(&insert).await?;
    transaction.commit().await?;
    rows.iter().map(|row| Ok(count_from_row(&failed_attempt::Model::from_query_result(row, "")?))).collect()
}

/// Subtracts one failure from each counter.
pub async fn subtract(change: &AuditedTransaction, counters: &[Counter<'_>]) -> Result<()> {
    for counter in counters {
        failed_attempt::Entity::update_many()
            .col_expr(Column::Failures, Expr::col(Column::Failures).sub(1))
            .filter(is(counter))
            .filter(Column::Failures.gt(0))
            .exec(change.on())
            .await?;
    }
    Ok(())
}

/// The failures that a person should know of.
#[derive(Debug)]
pub struct Repeated {
    pub person: PersonId,
    pub count: Count,
    pub address: Option<String>,
    subject: String,
}

/// Returns the counters of known persons with at least this many failures that are not in the audit log yet.
pub async fn find_unreported(connection: &impl ConnectionTrait, least: i32) -> Result<Vec<Repeated>> {
    let rows = failed_attempt::Entity::find()
        .filter(Column::Failures.gte(least))
        .filter(Column::Reported.eq(false))
        .filter(Column::PersonId.is_not_null())
        .order_by_asc(Column::Since)
        .all(connection)
        .await?;
    let read = |row: failed_attempt::Model| {
        let count = count_from_row(&row);
        let person = row.person_id.unwrap_or_default();
        let person = readable("a person's id", &person, <PersonId as domain::id::Id>::parse(&person))?;
        Ok(Repeated { person, count, address: row.address, subject: row.subject })
    };
    rows.into_iter().map(read).collect()
}

/// Marks a counter as reported and returns its failures by then; none if another node was first.
pub async fn mark_reported(change: &AuditedTransaction, repeated: &Repeated) -> Result<Option<i32>> {
    let key = (repeated.count.kind.clone(), repeated.subject.clone());
    let marked = failed_attempt::Entity::update_many()
        .col_expr(Column::Reported, Expr::value(true))
        .filter(Column::Kind.eq(&key.0))
        .filter(Column::Subject.eq(&key.1))
        .filter(Column::Since.eq(repeated.count.since))
        .filter(Column::Reported.eq(false))
        .exec(change.on())
        .await?;
    if marked.rows_affected == 0 {
        return Ok(None);
    }
    let row = failed_attempt::Entity::find_by_id(key).one(change.on()).await?;
    Ok(row.map(|row| row.failures))
}

/// Deletes the counters whose window began at `expired` or before. Those that are being counted on are skipped: a
/// delete that waited for them could deadlock with another attempt.
pub async fn delete_expired(database: &Database, expired: DateTime<Utc>) -> Result<()> {
    let key = [Column::Kind, Column::Subject];
    let unlocked = Query::select()
        .columns(key)
        .from(failed_attempt::Entity)
        .and_where(Column::Since.lte(expired))
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .take();
    let delete = failed_attempt::Entity::delete_many().filter(Expr::tuple(key.map(Expr::col)).in_subquery(unlocked));
    let transaction = database.begin().await?;
    delete.exec(transaction.on()).await?;
    Ok(transaction.commit().await?)
}
