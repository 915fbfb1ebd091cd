//! What belongs to the installation as a whole.

use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};

use super::{Database, Result, StoreError, entity::installation};
use crate::{secret::random_hex, token::Key};

/// There is one row.
const ID: i32 = 1;

/// The key that access tokens are signed with. Whoever asks first makes it, for all nodes.
pub(crate) async fn token_key(database: &Database) -> Result<Key> {
    let first = installation::ActiveModel { id: Set(ID), token_key: Set(random_hex()) };
    installation::Entity::insert(first)
        .on_conflict(OnConflict::column(installation::Column::Id).do_nothing().to_owned())
        .exec_without_returning(database.connection())
        .await?;
    let row = installation::Entity::find_by_id(ID).one(database.connection()).await?;
    let row = row.ok_or_else(|| StoreError::Unreadable { what: "the installation", value: ID.to_string() })?;
    Ok(row.token_key.into())
}
