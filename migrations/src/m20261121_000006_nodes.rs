//! What several servers on one PostgreSQL tell each other: a log of what changed, and who believes their memory.
//! A file of SQLite's has one owner, who tells it to nobody.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.get_connection().execute_unprepared(TABLES).await?;
        }
        Ok(())
    }
}

/// The leases outlive a crash of the database, as the nodes do which believe in them: a change that found nobody listed
/// would wait for nobody. Beats are numbered for all nodes together, so that one that left the list and came back is
/// not taken for what it was.
const TABLES: &str = "
CREATE TABLE auth_epoch (one boolean PRIMARY KEY DEFAULT true CHECK (one), rev bigint NOT NULL);
INSERT INTO auth_epoch (rev) VALUES (0);
CREATE TABLE auth_change (
    rev bigint PRIMARY KEY,
    touched text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE SEQUENCE node_beat;
CREATE TABLE node_lease (
    name text PRIMARY KEY,
    beat bigint NOT NULL,
    applied bigint NOT NULL,
    seen_at timestamptz NOT NULL
);";
