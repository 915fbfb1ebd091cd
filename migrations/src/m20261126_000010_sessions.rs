//! When a session was ended, apart from when its time runs out: by a clock that lags, one that was ended a moment ago
//! looks as if it had some time left.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let ended_at = timestamp_with_time_zone_null("ended_at");
        manager.alter_table(Table::alter().table("session").add_column(ended_at).take()).await
    }
}
