//! Each secret has an id, and each logged call names the secret, the request and the time it took.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [text_null("secret_id"), text_null("request_id"), integer_null("duration_us")] {
            manager.alter_table(Table::alter().table("usage_event").add_column(column).take()).await?;
        }
        let statements = match manager.get_database_backend() {
            DbBackend::Postgres => SECRET_IDS_ON_POSTGRES,
            _ => SECRET_IDS_ON_SQLITE,
        };
        for statement in statements {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        manager.create_index(secret_by_id()).await
    }
}

/// Hexadecimal digits are digits of a ULID as well. The default also gives an id to the secrets that an older server
/// inserts while servers are updated one after the other.
const SECRET_IDS_ON_POSTGRES: &[&str] = &["ALTER TABLE api_key_secret ADD COLUMN secret_id text NOT NULL DEFAULT \
     ('sec_0' || upper(substr(replace(gen_random_uuid()::text, '-', ''), 1, 25)))"];

/// SQLite adds no column whose default differs by row.
const SECRET_IDS_ON_SQLITE: &[&str] = &[
    "ALTER TABLE api_key_secret ADD COLUMN secret_id text NOT NULL DEFAULT ''",
    "UPDATE api_key_secret SET secret_id = 'sec_0' || substr(hex(randomblob(13)), 1, 25)",
];

fn secret_by_id() -> IndexCreateStatement {
    Index::create().name("api_key_secret_by_id").table("api_key_secret").col("secret_id").unique().take()
}
