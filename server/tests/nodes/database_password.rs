//! The password of the database is rotated while the server runs.

use std::{fs, time::Duration};

use tempfile::TempDir;
use test_support::{
    program::Program,
    test_app::{Key, TestApp},
};
use tokio::time::{sleep, timeout};

use super::postgres::Postgres;

const DEADLINE: Duration = Duration::from_secs(30);

async fn readiness_becomes(app: &TestApp, status: u16) {
    let becomes = async {
        while app.program.stranger().get("/readyz").await.status() != status {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(DEADLINE, becomes).await.unwrap_or_else(|_| panic!("never {status}:\n{}", app.program.log.lock().unwrap()));
}

#[test_support::requires(postgres)]
#[tokio::test]
async fn rotated_password_is_read_from_its_file() {
    let postgres = Postgres::start();
    postgres.execute("CREATE ROLE app SUPERUSER LOGIN PASSWORD 'first'");
    postgres.require_password_of("app");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("url");
    fs::write(&file, postgres.url_of("app", "first")).unwrap();
    let app = TestApp::on(Program::start_with_url_file(folder, &file, &[]));
    let key: Key = app.key(&[]);

    postgres.execute("ALTER ROLE app PASSWORD 'second'");
    postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
    readiness_becomes(&app, 503).await;
    fs::write(&file, postgres.url_of("app", "second")).unwrap();
    readiness_becomes(&app, 200).await;
    app.program.wait_for_log("the database URL has changed").await;
    // A change waits for the lease, whose connection has the new password as well.
    app.program.command_with_url_file(&file, &["key", "revoke", &key.id]);
    assert!(app.program.log.lock().unwrap().contains("password authentication failed"), "it was refused in between");
}
