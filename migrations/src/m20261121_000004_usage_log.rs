//! Adds an index for filtering a key's call log by outcome.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_index(usage_by_outcome()).await
    }
}

/// Finds the few refused calls of a key among its many accepted ones.
fn usage_by_outcome() -> IndexCreateStatement {
    Index::create()
        .name("usage_event_of_key_by_outcome")
        .table("usage_event")
        .col("api_key_id")
        .col("outcome")
        .col("at")
        .take()
}
