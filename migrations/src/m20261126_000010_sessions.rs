//! Stores the end of a session apart from its expiry. By a clock that lags, a session ended a moment ago would look as
//! if it had time left.

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
