//! The first answers to calls that may be sent again.

use chrono::{DateTime, SubsecRound, Utc};
use domain::id::{Id, ReservationId};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, SqlErr};

use super::{
    Pool, Result, WriteTransaction, entity::idempotency, insert_unless, readable, readable_units, units_column,
};
use crate::{
    answers::{Answer, Call, StoredAnswer, forgotten_before},
    occupancy::FullNight,
};

/// The call, which names its tenant: where every query of this module starts.
fn of_call(call: &Call) -> Condition {
    Condition::all()
        .add(idempotency::Column::TenantId.eq(call.tenant.as_str()))
        .add(idempotency::Column::Caller.eq(&call.caller))
        .add(idempotency::Column::KeySha256.eq(&call.key_sha256))
}

/// Returns the stored response to a call, unless it has expired.
pub(crate) async fn find_answer(pool: &Pool, call: &Call, now: DateTime<Utc>) -> Result<Option<StoredAnswer>> {
    let found = idempotency::Entity::find()
        .filter(of_call(call))
        .filter(idempotency::Column::CreatedAt.gte(forgotten_before(now)))
        .one(pool.connection())
        .await?;
    found.map(answer_from_row).transpose()
}

fn answer_from_row(row: idempotency::Model) -> Result<StoredAnswer> {
    let answer = match (row.reservation_id, row.sold_out_on, row.sold_out_left) {
        (Some(id), _, _) => Answer::Reserved(readable("a reservation's id", &id, ReservationId::parse(&id))?),
        (None, Some(date), Some(left)) => Answer::SoldOut(FullNight { date, available: readable_units(left)? }),
        _ => readable("an answer", &row.key_sha256, Err(()))?,
    };
    Ok(StoredAnswer { body_sha256: row.body_sha256, answer })
}

/// Notes the answer to a call. False when another node has answered a call with this key.
///
/// While that node's transaction is under way, PostgreSQL lets this wait for it.
pub(crate) async fn insert(
    transaction: &WriteTransaction,
    call: &Call,
    answered: &StoredAnswer,
    now: DateTime<Utc>,
) -> Result<bool> {
    idempotency::Entity::delete_many()
        .filter(of_call(call))
        .filter(idempotency::Column::CreatedAt.lt(forgotten_before(now)))
        .exec(transaction.on())
        .await?;
    let (reservation, full) = match &answered.answer {
        Answer::Reserved(id) => (Some(id.to_string()), None),
        Answer::SoldOut(night) => (None, Some(night)),
    };
    let row = idempotency::ActiveModel {
        tenant_id: Set(call.tenant.to_string()),
        caller: Set(call.caller.clone()),
        key_sha256: Set(call.key_sha256.clone()),
        body_sha256: Set(answered.body_sha256.clone()),
        reservation_id: Set(reservation),
        sold_out_on: Set(full.map(|night| night.date)),
        sold_out_left: Set(full.map(|night| units_column(night.available))),
        created_at: Set(now.trunc_subsecs(3)),
    };
    let result = idempotency::Entity::insert(row).exec_without_returning(transaction.on()).await;
    insert_unless(result, |rule| matches!(rule, SqlErr::UniqueConstraintViolation(_)))
}

/// Deletes what is older, whosever it is.
pub(crate) async fn delete_before(pool: &Pool, instant: DateTime<Utc>) -> Result<u64> {
    let transaction = pool.begin_write().await?;
    let old = idempotency::Entity::delete_many().filter(idempotency::Column::CreatedAt.lt(instant));
    let deleted = old.exec(transaction.on()).await?.rows_affected;
    transaction.commit().await?;
    Ok(deleted)
}
