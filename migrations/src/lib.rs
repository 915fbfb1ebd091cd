//! The schema's history. Once released, a migration is frozen; none imports anything of ours.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{
        ConnectionTrait, DatabaseConnection, DbBackend, RuntimeErr, SqliteTransactionMode, SqlxSqliteConnector,
        TransactionOptions, TransactionTrait, sqlx::sqlite::SqlitePoolOptions,
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
mod m20261126_000011_email_per_tenant;
mod m20261126_000012_step_up;
mod m20261126_000013_permissions;
mod m20261127_000014_archived_offers;

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
            Box::new(m20261126_000011_email_per_tenant::Migration),
            Box::new(m20261126_000012_step_up::Migration),
            Box::new(m20261126_000013_permissions::Migration),
            Box::new(m20261127_000014_archived_offers::Migration),
        ]
    }
}

/// Migrates the schema, completely or not at all. Concurrent starts take turns.
///
/// # Errors
/// If the database refuses a statement; the schema is then as it was.
pub async fn apply(database: &DatabaseConnection) -> Result<(), DbErr> {
    if database.get_database_backend() != DbBackend::Sqlite {
        return apply_on(database).await;
    }
    let connection = without_foreign_keys(database).await?;
    let applied = apply_on(&connection).await;
    connection.close().await?;
    applied
}

/// Opens a connection to the same SQLite file that does not enforce foreign keys. SQLite changes a constraint only by
/// rebuilding its table, and dropping the old table would delete the rows that refer to it. Inside a transaction the
/// setting cannot be changed.
async fn without_foreign_keys(database: &DatabaseConnection) -> Result<DatabaseConnection, DbErr> {
    let options = database.get_sqlite_connection_pool().connect_options().as_ref().clone().foreign_keys(false);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
    let pool = pool.map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())))?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

async fn apply_on(database: &DatabaseConnection) -> Result<(), DbErr> {
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

#[cfg(test)]
mod tests {
    use sea_orm_migration::sea_orm::{ConnectOptions, Database, Statement};
    use tempfile::TempDir;

    use super::*;

    /// The migrations before the one that makes e-mail addresses unique within a tenant.
    const BEFORE: u32 = 10;

    const ROWS: &str = "
        INSERT INTO tenant (id, slug, name, key_limit, api_keys, time_zone, created_at, requires_second_factor)
            VALUES ('ten_1', 'acme', 'Acme', 10, true, 'UTC', '2026-11-21 12:00:00+00:00', false),
                   ('ten_2', 'other', 'Other', 10, true, 'UTC', '2026-11-21 12:00:00+00:00', false);
        INSERT INTO person (id, tenant_id, email, name, role, password_hash, created_at, totp_secret)
            VALUES ('per_1', 'ten_1', 'ana@acme.test', 'Ana', 'tenant_admin', 'x', '2026-11-21 12:00:00+00:00', 'y'),
                   ('per_2', NULL, 'root@latchkey.test', 'Root', 'super_user', 'x', '2026-11-21 12:00:00+00:00', NULL);
        INSERT INTO invitation (token_sha256, person_id, expires_at)
            VALUES ('z', 'per_1', '2026-11-28 12:00:00+00:00');";

    fn person(id: &str, tenant: &str, email: &str) -> String {
        format!(
            "INSERT INTO person (id, tenant_id, email, name, role, password_hash, created_at) \
             VALUES ('{id}', {tenant}, '{email}', 'x', 'x', 'x', '2026-11-21 12:00:00+00:00')"
        )
    }

    async fn emails_become_unique_within_tenants(url: &str) {
        let database = Database::connect(ConnectOptions::new(url)).await.unwrap();
        Migrator::up(&database, Some(BEFORE)).await.unwrap();
        database.execute_unprepared(ROWS).await.unwrap();
        assert!(database.execute_unprepared(&person("per_3", "'ten_2'", "ana@acme.test")).await.is_err());
        apply(&database).await.unwrap();

        let kept = "SELECT p.email, p.totp_secret, i.token_sha256 FROM person p \
                    LEFT JOIN invitation i ON i.person_id = p.id ORDER BY p.id";
        let rows = Statement::from_string(database.get_database_backend(), kept);
        let rows = database.query_all_raw(rows).await.unwrap();
        let text = |row: usize, column: usize| rows[row].try_get_by_index::<Option<String>>(column).unwrap();
        assert_eq!([text(0, 0), text(0, 1), text(0, 2)], ["ana@acme.test", "y", "z"].map(|text| Some(text.to_owned())));
        assert_eq!([text(1, 0), text(1, 1), text(1, 2)], [Some("root@latchkey.test".to_owned()), None, None]);

        database.execute_unprepared(&person("per_3", "'ten_2'", "ana@acme.test")).await.expect("in another tenant");
        database.execute_unprepared(&person("per_4", "NULL", "ana@acme.test")).await.expect("as a super user");
        for tenant in ["'ten_1'", "'ten_2'", "NULL"] {
            let twice = database.execute_unprepared(&person("per_5", tenant, "ana@acme.test")).await;
            assert!(twice.is_err(), "twice in {tenant}");
        }
        let orphan = database.execute_unprepared(&person("per_5", "'ten_9'", "ben@acme.test")).await;
        assert!(orphan.is_err(), "foreign keys are enforced");
        database.execute_unprepared("DELETE FROM person WHERE id = 'per_1'").await.unwrap();
        let left = Statement::from_string(database.get_database_backend(), "SELECT token_sha256 FROM invitation");
        assert!(database.query_all_raw(left).await.unwrap().is_empty(), "what refers to a person goes with them");
        apply(&database).await.expect("there is nothing left to do");
        database.close().await.unwrap();
    }

    #[tokio::test]
    async fn emails_become_unique_within_tenants_on_sqlite() {
        let folder = TempDir::new().unwrap();
        emails_become_unique_within_tenants(&format!("sqlite://{}/latchkey.db?mode=rwc", folder.path().display()))
            .await;
    }

    #[test_support::requires(postgres)]
    #[tokio::test]
    async fn emails_become_unique_within_tenants_on_postgres() {
        emails_become_unique_within_tenants(&test_support::databases::create_postgres().await).await;
    }
}
