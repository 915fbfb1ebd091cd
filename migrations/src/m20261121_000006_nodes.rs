//! The cluster's tables on PostgreSQL: a log of changes, and which nodes use their cache. A SQLite file has one owner
//! and needs no cluster.

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

/// Leases outlive a crash of the database, as do the nodes that hold them: a change that found no node registered would
/// wait for none. Heartbeats are numbered across all nodes, so that a node that left and returned is not mistaken for
/// its former self.
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
