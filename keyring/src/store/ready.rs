//! Whether the database answers.

use sea_orm::{EntityTrait, QuerySelect};

use super::{Database, Result, entity::installation};

pub(crate) async fn answers(database: &Database) -> Result<()> {
    Ok(database.connection().ping().await?)
}

/// The newest table is there.
pub(crate) async fn is_migrated(database: &Database) -> Result<()> {
    let newest = installation::Entity::find().select_only().column(installation::Column::Id);
    newest.into_tuple::<i32>().one(database.connection()).await?;
    Ok(())
}
