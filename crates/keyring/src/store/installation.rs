//! What belongs to the installation as a whole.

use sea_orm::{ConnectionTrait, EntityTrait};

use super::{
    Result, StoreError,
    encryption::{INSTALLATION, TOKEN_KEY, decrypt},
    entity::installation,
};
use crate::{secret_keys::SecretKeys, token::Key};

/// The key that access tokens are signed with, on all nodes.
pub(crate) async fn token_key(connection: &impl ConnectionTrait, keys: &SecretKeys) -> Result<Key> {
    let row = installation::Entity::find_by_id(INSTALLATION).one(connection).await?;
    let missing = || StoreError::Unreadable { what: "the installation", value: INSTALLATION.to_string() };
    decrypt(keys, TOKEN_KEY, &row.ok_or_else(missing)?.token_key)
}
