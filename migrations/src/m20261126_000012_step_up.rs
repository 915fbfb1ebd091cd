//! Stores the time at which the person of a session last confirmed their identity, and the second factor that they were
//! offered.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite alters a table by one column at a time.
        for column in [timestamp_with_time_zone_null("confirmed_at"), text_null("offered_totp_secret")] {
            manager.alter_table(Table::alter().table("session").add_column(column).take()).await?;
        }
        Ok(())
    }
}
