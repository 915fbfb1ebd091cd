//! Links for setting a password, stored as the SHA-256 of their token.

use chrono::{DateTime, Utc};
use domain::{
    digest::Sha256Hex,
    id::{Id, PersonId},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::{AuditedTransaction, Result, entity::invitation, readable};

/// Earlier links of the person become invalid.
pub async fn replace(
    change: &AuditedTransaction,
    person: &PersonId,
    token: &Sha256Hex,
    expires_at: DateTime<Utc>,
) -> Result<()> {
    delete_of_person(change, person).await?;
    let row = invitation::ActiveModel {
        token_sha256: Set(token.as_str().to_owned()),
        person_id: Set(person.to_string()),
        expires_at: Set(expires_at),
    };
    invitation::Entity::insert(row).exec_without_returning(change.on()).await?;
    Ok(())
}

pub async fn delete_of_person(change: &AuditedTransaction, person: &PersonId) -> Result<()> {
    invitation::Entity::delete_many()
        .filter(invitation::Column::PersonId.eq(person.as_str()))
        .exec(change.on())
        .await?;
    Ok(())
}

/// Returns the person of a link that is still valid.
pub async fn person_of(
    connection: &impl ConnectionTrait,
    token: &Sha256Hex,
    now: DateTime<Utc>,
) -> Result<Option<PersonId>> {
    let row = invitation::Entity::find_by_id(token.as_str())
        .filter(invitation::Column::ExpiresAt.gt(now))
        .one(connection)
        .await?;
    row.map(|row| readable("a person's id", &row.person_id, PersonId::parse(&row.person_id))).transpose()
}

/// Returns false if the link was used concurrently.
pub async fn consume(change: &AuditedTransaction, token: &Sha256Hex) -> Result<bool> {
    Ok(invitation::Entity::delete_by_id(token.as_str()).exec(change.on()).await?.rows_affected == 1)
}
