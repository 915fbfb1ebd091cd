//! Recovery codes, each of which replaces a second factor once.

use domain::{digest::Sha256Hex, id::PersonId};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::{AuditedTransaction, Result, entity::recovery_code};

/// Gives a person these codes and no others.
pub async fn replace(change: &AuditedTransaction, person: &PersonId, codes: &[Sha256Hex]) -> Result<()> {
    use domain::id::Id as _;
    recovery_code::Entity::delete_many()
        .filter(recovery_code::Column::PersonId.eq(person.as_str()))
        .exec(change.on())
        .await?;
    if codes.is_empty() {
        return Ok(());
    }
    let row = |code: &Sha256Hex| recovery_code::ActiveModel {
        person_id: Set(person.to_string()),
        sha256: Set(code.as_str().to_owned()),
    };
    recovery_code::Entity::insert_many(codes.iter().map(row)).exec_without_returning(change.on()).await?;
    Ok(())
}

/// False when the person has no such code, or not any more.
pub async fn consume(change: &AuditedTransaction, person: &PersonId, code: &Sha256Hex) -> Result<bool> {
    let key = (person.to_string(), code.as_str().to_owned());
    Ok(recovery_code::Entity::delete_by_id(key).exec(change.on()).await?.rows_affected == 1)
}

pub async fn count(connection: &impl ConnectionTrait, person: &PersonId) -> Result<u64> {
    use domain::id::Id as _;
    let left = recovery_code::Entity::find().filter(recovery_code::Column::PersonId.eq(person.as_str()));
    Ok(left.count(connection).await?)
}
