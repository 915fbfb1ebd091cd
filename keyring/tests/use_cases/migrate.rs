use keyring::{Database, SuperUser};

use super::stage::{Stage, fresh_postgres};

on_both_databases! {
    migrating_again_changes_nothing,
}

async fn migrating_again_changes_nothing(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    let database = Database::open(&stage.url).await.unwrap();
    migrations::apply(database.connection()).await.unwrap();
    let tenants = stage.keyring.tenants(&SuperUser::operator()).await.unwrap();
    assert_eq!(tenants[0].tenant, *tenant.tenant());
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_start_at_once_take_turns() {
    let url = fresh_postgres().await;
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
