//! What belongs to the installation as a whole.

use sea_orm::{ConnectionTrait, EntityTrait};
use secrecy::SecretString;

use super::{
    Result, StoreError,
    encryption::{INSTALLATION, TOKEN_KEY, decrypt},
    entity::installation,
};
use crate::secret_keys::SecretKeys;

/// The key that access tokens are signed with, on all nodes.
pub async fn token_key(connection: &impl ConnectionTrait, keys: &SecretKeys) -> Result<SecretString> {
    let row = installation::Entity::find_by_id(INSTALLATION).one(connection).await?;
    let missing = || StoreError::Unreadable { what: "the installation", value: INSTALLATION.to_string() };
    decrypt(keys, TOKEN_KEY, &row.ok_or_else(missing)?.token_key)
}
