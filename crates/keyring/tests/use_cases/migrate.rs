use std::collections::HashSet;

use domain::id::{Id, SecretId};
use keyring::{Database, SuperUser};
use sea_orm::ConnectionTrait;
use test_support::databases::create_postgres;

use super::fixture::TestKeyring;

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    migrating_again_changes_nothing,
    existing_secrets_get_ids,
}

async fn migrating_again_changes_nothing(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let database = Database::open(&app.url).await.unwrap();
    migrations::apply(database.connection()).await.unwrap();
    let tenants = app.keyring.tenants(&SuperUser::operator()).await.unwrap();
    assert_eq!(tenants[0].tenant, *tenant.tenant());
}

/// The schema as it was before secrets had ids.
const WITHOUT_SECRET_IDS: &[&str] = &[
    "DROP INDEX api_key_secret_by_id",
    "ALTER TABLE api_key_secret DROP COLUMN secret_id",
    "ALTER TABLE usage_event DROP COLUMN secret_id",
    "ALTER TABLE usage_event DROP COLUMN request_id",
    "ALTER TABLE usage_event DROP COLUMN duration_us",
    "DELETE FROM seaql_migrations WHERE version = 'm20261126_000007_call_details'",
];

async fn existing_secrets_get_ids(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    for name in ["PMS", "Widget", "Gateway"] {
        app.generate(&tenant, name).await;
    }
    let connection = app.connection().await;
    for statement in WITHOUT_SECRET_IDS {
        connection.execute_unprepared(statement).await.unwrap();
    }
    migrations::apply(&connection).await.unwrap();
    let ids: HashSet<String> = app.texts("SELECT secret_id FROM api_key_secret").await.into_iter().collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| SecretId::parse(id).is_ok()), "{ids:?}");
}

#[test_support::requires(postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_starts_migrate_in_turn() {
    let url = create_postgres().await;
    let starts: Vec<_> = (0..8)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move {
                let database = Database::open(&url).await.unwrap();
                migrations::apply(database.connection()).await
            })
        })
        .collect();
    for start in starts {
        start.await.unwrap().unwrap();
    }
}
