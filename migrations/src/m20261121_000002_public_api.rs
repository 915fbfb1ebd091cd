//! Adds the tables of the public API: legacy credentials, their users, and the signing key of the installation.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            text_null("totp_secret"),
            big_integer_null("totp_last_step"),
            timestamp_with_time_zone_null("switched_off_at"),
        ];
        for column in columns {
            manager.alter_table(Table::alter().table("person").add_column(column).take()).await?;
        }
        manager.create_table(installation()).await?;
        manager.create_table(legacy_use()).await?;
        manager.create_index(usage_by_time()).await?;
        manager.create_index(secret_by_age()).await
    }
}

/// One row, made when it is first needed.
fn installation() -> TableCreateStatement {
    Table::create().table("installation").col(integer("id").primary_key()).col(text("token_key")).take()
}

fn legacy_use() -> TableCreateStatement {
    Table::create()
        .table("legacy_use")
        .col(text("person_id"))
        .col(text("method"))
        .col(timestamp_with_time_zone("first_seen_at"))
        .col(timestamp_with_time_zone("last_seen_at"))
        .col(big_integer("count"))
        .primary_key(Index::create().col("person_id").col("method"))
        .foreign_key(
            ForeignKey::create()
                .from("legacy_use", "person_id")
                .to("person", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}

/// Serves the daily deletion of old rows.
fn usage_by_time() -> IndexCreateStatement {
    Index::create().name("usage_event_by_time").table("usage_event").col("at").take()
}

/// Serves the filter for keys whose secret has not been rotated for long.
fn secret_by_age() -> IndexCreateStatement {
    Index::create()
        .name("api_key_secret_by_age")
        .table("api_key_secret")
        .col("api_key_id")
        .col("retires_at")
        .col("created_at")
        .take()
}
