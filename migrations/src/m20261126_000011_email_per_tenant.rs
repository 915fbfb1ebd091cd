//! E-mail addresses that are unique within their tenant instead of across all tenants.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend, Statement},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        match manager.get_database_backend() {
            DbBackend::Sqlite => rebuild_person(manager).await?,
            _ => execute(manager, "ALTER TABLE person DROP CONSTRAINT person_email_key").await?,
        }
        execute(manager, UNIQUE_EMAIL).await
    }
}

/// Unique within a tenant, or among the super users, who have none. The address comes first, as a sign-in may know no more.
const UNIQUE_EMAIL: &str = "CREATE UNIQUE INDEX person_email ON person (email, coalesce(tenant_id, ''))";

async fn execute(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await.map(drop)
}

/// Rebuilds the table without the constraint on its column, which SQLite cannot drop. The columns that earlier migrations
/// added are kept.
async fn rebuild_person(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let [table] = select_schema(manager, "type = 'table'").await?.try_into().map_err(unexpected_schema)?;
    let rebuilt = table.replacen("CREATE TABLE \"person\"", "CREATE TABLE \"new_person\"", 1).replacen(
        "\"email\" text NOT NULL UNIQUE",
        "\"email\" text NOT NULL",
        1,
    );
    if rebuilt.contains("UNIQUE") || !rebuilt.starts_with("CREATE TABLE \"new_person\"") {
        return Err(unexpected_schema(vec![table]));
    }
    let indexes = select_schema(manager, "type = 'index' AND sql IS NOT NULL").await?;
    execute(manager, &rebuilt).await?;
    execute(manager, "INSERT INTO new_person SELECT * FROM person").await?;
    execute(manager, "DROP TABLE person").await?;
    execute(manager, "ALTER TABLE new_person RENAME TO person").await?;
    for index in indexes {
        execute(manager, &index).await?;
    }
    let orphans = Statement::from_string(DbBackend::Sqlite, "PRAGMA foreign_key_check");
    match manager.get_connection().query_all_raw(orphans).await?.len() {
        0 => Ok(()),
        orphans => Err(DbErr::Custom(format!("{orphans} rows refer to rows that do not exist"))),
    }
}

/// The statements that created the table `person` or its indexes.
async fn select_schema(manager: &SchemaManager<'_>, condition: &str) -> Result<Vec<String>, DbErr> {
    let sql = format!("SELECT sql FROM sqlite_schema WHERE tbl_name = 'person' AND {condition}");
    let rows = manager.get_connection().query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

fn unexpected_schema(found: Vec<String>) -> DbErr {
    DbErr::Custom(format!("unexpected schema of the table `person`: {found:?}"))
}
