//! Failed attempts to sign in, counted for all nodes together.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(failed_attempt()).await?;
        manager.create_index(failed_attempt_by_time()).await
    }
}

/// One row for each counter. `subject` is a hash of the counted account, address or person; `person_id` and `address`
/// are those of the last attempt, where the counter concerns one. No foreign key: an attempt at an unknown account costs
/// exactly as much.
fn failed_attempt() -> TableCreateStatement {
    Table::create()
        .table("failed_attempt")
        .col(text("kind"))
        .col(text("subject"))
        .col(timestamp_with_time_zone("since"))
        .col(integer("failures"))
        .col(text_null("person_id"))
        .col(text_null("address"))
        .col(boolean("reported"))
        .primary_key(Index::create().col("kind").col("subject"))
        .take()
}

/// Serves the clearing of counters whose window has passed.
fn failed_attempt_by_time() -> IndexCreateStatement {
    Index::create().name("failed_attempt_by_time").table("failed_attempt").col("since").take()
}
