//! The schema's history. Once released, a migration is frozen; none imports anything of ours.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{
        ConnectionTrait, DatabaseConnection, DbBackend, SqliteTransactionMode, TransactionOptions, TransactionTrait,
    },
};

mod m20261121_000001_tenants_and_keys;
mod m20261121_000002_public_api;
mod m20261121_000003_booking;
mod m20261121_000004_usage_log;
mod m20261121_000005_people;
mod m20261121_000006_nodes;
mod m20261126_000007_call_details;
mod m20261126_000008_secret_keys;
mod m20261126_000009_sign_in;
mod m20261126_000010_sessions;

/// An arbitrary number that all servers on one PostgreSQL database agree on.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(7304562190)";

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_tenants_and_keys::Migration),
            Box::new(m20261121_000002_public_api::Migration),
            Box::new(m20261121_000003_booking::Migration),
            Box::new(m20261121_000004_usage_log::Migration),
            Box::new(m20261121_000005_people::Migration),
            Box::new(m20261121_000006_nodes::Migration),
            Box::new(m20261126_000007_call_details::Migration),
            Box::new(m20261126_000010_sessions::Migration),
            Box::new(m20261126_000008_secret_keys::Migration),
            Box::new(m20261126_000009_sign_in::Migration),
        ]
    }
}

/// Brings the schema up to date, all of it or nothing. Servers that start at once take turns.
///
/// # Errors
/// When the database refuses a statement; the schema is then as it was.
pub async fn apply(database: &DatabaseConnection) -> Result<(), DbErr> {
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = database.begin_with_options(immediate).await?;
    if database.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(MIGRATION_LOCK).await?;
    }
    Migrator::up(&transaction, None).await?;
    transaction.commit().await
}
