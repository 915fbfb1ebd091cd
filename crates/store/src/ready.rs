//! Readiness of the database and its schema.

use sea_orm::{EntityTrait, QuerySelect};

use super::{Database, Result, entity::installation};

pub async fn answers(database: &Database) -> Result<()> {
    Ok(database.connection().ping().await?)
}

/// A table of ours is there. Whether every migration was applied is not asked: their list is known to the migrations
/// alone, and the server applies them before it serves.
pub async fn has_schema(database: &Database) -> Result<()> {
    let table = installation::Entity::find().select_only().column(installation::Column::Id);
    table.into_tuple::<i32>().one(database.connection()).await?;
    Ok(())
}
