//! The operator's own permissions, which group forms offer.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("permission")
                    .col(string("permission").primary_key())
                    .col(string("name"))
                    .col(string("description"))
                    .col(timestamp_with_time_zone("created_at"))
                    .take(),
            )
            .await
    }
}
