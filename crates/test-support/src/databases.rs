//! A separate database for each test.

use std::{fs::DirBuilder, os::unix::fs::DirBuilderExt};

use sea_orm::ConnectionTrait;
use tempfile::TempDir;
use ulid::Ulid;

/// Runs each test once on each database, with a fixture that has `on_sqlite` and `on_postgres`.
#[macro_export]
macro_rules! on_both_databases {
    ($fixture:path: $($test:ident),* $(,)?) => {
        mod on_sqlite {
            use $fixture as Fixture;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(Fixture::on_sqlite().await).await;
            })*
        }
        mod on_postgres {
            use $fixture as Fixture;
            $(#[$crate::requires(postgres)]
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(Fixture::on_postgres().await).await;
            })*
        }
    };
}

/// Returns the URL of a SQLite database below this folder, where the program may create the file.
///
/// # Panics
/// If the folder cannot be written.
#[must_use]
pub fn sqlite_in(folder: &TempDir) -> String {
    DirBuilder::new().recursive(true).mode(0o700).create(folder.path().join("data")).unwrap();
    default_sqlite_in(folder)
}

/// Returns the URL of the database that the program uses by default if it is started in this folder.
#[must_use]
pub fn default_sqlite_in(folder: &TempDir) -> String {
    format!("sqlite://{}/data/latchkey.db", folder.path().display())
}

/// Creates an empty PostgreSQL database on the test server, and returns its URL.
///
/// # Panics
/// If there is no server.
pub async fn create_postgres() -> String {
    let server = postgres_server();
    let name = format!("test_{}", Ulid::generate().to_string().to_lowercase());
    let connection = sea_orm::Database::connect(&server).await.unwrap();
    connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    connection.close().await.unwrap();
    let (host, _) = server.rsplit_once('/').unwrap();
    format!("{host}/{name}")
}

/// Returns the URL of the test server.
pub(crate) fn postgres_server() -> String {
    std::env::var("LATCHKEY_TEST_POSTGRES_URL")
        .expect("LATCHKEY_TEST_POSTGRES_URL is not set: the test lacks #[requires(postgres)]")
}
