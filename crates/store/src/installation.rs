//! The settings of the installation as a whole.

use sea_orm::{ConnectionTrait, EntityTrait};
use secrecy::SecretString;

use super::{
    Result, SqlError,
    encrypted_columns::{INSTALLATION_ROW, TOKEN_KEY, decrypt},
    entity::installation,
};
use crate::secret_keys::SecretKeys;

/// The key that access tokens are signed with, on all nodes.
pub async fn token_key(connection: &impl ConnectionTrait, keys: &SecretKeys) -> Result<SecretString> {
    let row = installation::Entity::find_by_id(INSTALLATION_ROW).one(connection).await?;
    let missing = || SqlError::Unreadable { what: "the installation", value: INSTALLATION_ROW.to_string() };
    decrypt(keys, TOKEN_KEY, &row.ok_or_else(missing)?.token_key)
}
