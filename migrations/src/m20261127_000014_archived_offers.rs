//! Services and packages that are no longer offered.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["service", "package"] {
            let archived_at = timestamp_with_time_zone_null("archived_at");
            manager.alter_table(Table::alter().table(table).add_column(archived_at).take()).await?;
        }
        Ok(())
    }
}
