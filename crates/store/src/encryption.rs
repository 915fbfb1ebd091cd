//! The encrypted columns, and the check value that shows whether the secret keys belong to the database.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use secrecy::{ExposeSecret, SecretString};
use sql::SqlError;

use super::{
    AuditedTransaction, Database, Result, StoreError,
    audit::seal::seal_chains,
    encrypted_columns::{CHECK, CHECK_TEXT, INSTALLATION_ROW, TOKEN_KEY, decrypt, totp_secret},
    entity::{installation, person},
    sessions,
};
use crate::secret_keys::{self, DecryptError, SecretKeys};

/// Returns the check value, or `None` if nothing is encrypted yet.
pub async fn check_value(connection: &impl ConnectionTrait) -> Result<Option<String>> {
    let row = installation::Entity::find_by_id(INSTALLATION_ROW).one(connection).await?;
    Ok(row.and_then(|row| row.secret_key_check))
}

/// Returns true if the check value was encrypted with one of the keys.
pub fn fits(keys: &SecretKeys, check: &str) -> Result<bool> {
    match decrypt(keys, CHECK, check) {
        Ok(_) => Ok(true),
        Err(StoreError::Undecryptable { cause: DecryptError::UnknownKey(_), .. }) => Ok(false),
        Err(other) => Err(other),
    }
}

/// Encrypts a database that was not encrypted before, new or of an earlier version, and returns the check value. Of the
/// nodes that start at the same time the first one does it, and the others get its check value. The audit chains are
/// sealed in the same transaction.
///
/// `token_key` replaces the stored one, which an earlier version kept in clear.
pub async fn encrypt_existing(
    database: &Database,
    keys: &SecretKeys,
    token_key: &SecretString,
    now: DateTime<Utc>,
) -> Result<String> {
    let write = database.begin().await?;
    let transaction = write.on();
    lock_installation(transaction).await?;
    if let Some(check) = check_value(transaction).await? {
        return Ok(check);
    }
    for (person, secret) in totp_secrets(transaction).await? {
        if secret_keys::key_id(&secret).is_some() {
            let what = "an encrypted value without a check value";
            return Err(SqlError::Unreadable { what, value: person }.into());
        }
        replace_totp_secret(transaction, &person, &secret, &keys.encrypt(totp_secret(&person), &secret)).await?;
    }
    seal_chains(transaction, keys, now).await?;
    let check = keys.encrypt(CHECK, CHECK_TEXT);
    write_installation(transaction, &check, &keys.encrypt(TOKEN_KEY, token_key.expose_secret())).await?;
    write.commit().await?;
    Ok(check)
}

/// Encrypts every value with the first key.
pub async fn reencrypt(change: &AuditedTransaction) -> Result<()> {
    let (transaction, keys) = (change.on(), change.secret_keys());
    lock_installation(transaction).await?;
    for (person, secret) in totp_secrets(transaction).await? {
        let place = totp_secret(&person);
        let encrypted = keys.encrypt(place, decrypt(keys, place, &secret)?.expose_secret());
        replace_totp_secret(transaction, &person, &secret, &encrypted).await?;
    }
    // An offer is worth nothing: the page that shows it makes another.
    sessions::withdraw_totp_offers(change, None).await?;
    let token_key = super::installation::token_key(transaction, keys).await?;
    let token_key = keys.encrypt(TOKEN_KEY, token_key.expose_secret());
    write_installation(transaction, &keys.encrypt(CHECK, CHECK_TEXT), &token_key).await
}

/// Locks the row until the end of the transaction, and creates it if there is none.
async fn lock_installation(transaction: &DatabaseTransaction) -> Result<()> {
    let first =
        installation::ActiveModel { id: Set(INSTALLATION_ROW), token_key: Set(String::new()), ..Default::default() };
    installation::Entity::insert(first)
        // Updating to the same value locks the row on PostgreSQL; "do nothing" would not.
        .on_conflict(OnConflict::column(installation::Column::Id).update_column(installation::Column::Id).to_owned())
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}

async fn write_installation(transaction: &DatabaseTransaction, check: &str, token_key: &str) -> Result<()> {
    installation::Entity::update_many()
        .col_expr(installation::Column::SecretKeyCheck, Expr::value(check))
        .col_expr(installation::Column::TokenKey, Expr::value(token_key))
        .filter(installation::Column::Id.eq(INSTALLATION_ROW))
        .exec(transaction)
        .await?;
    Ok(())
}

/// The people with a second factor, and what is stored of it.
async fn totp_secrets(transaction: &DatabaseTransaction) -> Result<Vec<(String, String)>> {
    let columns = [person::Column::Id, person::Column::TotpSecret];
    let people = person::Entity::find().filter(person::Column::TotpSecret.is_not_null()).select_only().columns(columns);
    Ok(people.into_tuple().all(transaction).await?)
}

/// Replaces a secret unless it has changed since it was read.
async fn replace_totp_secret(transaction: &DatabaseTransaction, person: &str, old: &str, new: &str) -> Result<()> {
    person::Entity::update_many()
        .col_expr(person::Column::TotpSecret, Expr::value(new))
        .filter(person::Column::Id.eq(person))
        .filter(person::Column::TotpSecret.eq(old))
        .exec(transaction)
        .await?;
    Ok(())
}
