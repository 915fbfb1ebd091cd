//! Usage recording: exact counts, and a log that no single key can fill.

use std::{net::IpAddr, sync::Arc};

use domain::{id::KeyId, verdict::Verdict};
use keyring::{AccessQuery, CachedKey, CallDetails, NewSecret, Requirement, TenantAdmin, Use};

use super::fixture::{TestKeyring, home};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    flooding_key_does_not_crowd_out_other_tenants,
    flooding_key_does_not_crowd_out_other_keys_of_its_tenant,
}

async fn key_of(app: &TestKeyring, tenant: &TenantAdmin, name: &str) -> Arc<CachedKey> {
    let NewSecret { secret, .. } = app.generate(tenant, name).await;
    let requirement = Requirement { permission: None, property: None, cost: 0, tenant: None };
    let query = AccessQuery { address: None, nearest: home(), origin: None, requirement };
    app.keyring.verify(&secret, &query).await.unwrap().key.unwrap()
}

fn record(app: &TestKeyring, key: &CachedKey, verdict: Verdict, amount: usize) {
    let used = Use { at: app.now(), verdict, address: Some(IpAddr::from([203, 0, 113, 9])) };
    for _ in 0..amount {
        app.keyring.record(key, used, || CallDetails { method: "GET", status: 200, ..CallDetails::default() });
    }
}

async fn logged(app: &TestKeyring, key: &KeyId, verdict: Verdict) -> usize {
    let sql = format!("SELECT method FROM usage_event WHERE api_key_id = '{key}' AND outcome = '{verdict}'");
    app.texts(&sql).await.len()
}

async fn counted(app: &TestKeyring, key: &KeyId) -> Vec<String> {
    let counts = "SELECT outcome || ' ' || CAST(count AS text) FROM usage_hour";
    app.texts(&format!("{counts} WHERE api_key_id = '{key}' ORDER BY outcome")).await
}

async fn flooding_key_does_not_crowd_out_other_tenants(app: TestKeyring) {
    let flooding = key_of(&app, &app.tenant("noisy").await, "Flood").await;
    let other = key_of(&app, &app.tenant("quiet").await, "PMS").await;
    record(&app, &flooding, Verdict::Valid, 20_000);
    record(&app, &flooding, Verdict::Revoked, 20_000);
    record(&app, &other, Verdict::Valid, 500);
    record(&app, &other, Verdict::Expired, 5);
    app.keyring.write_usage().await.unwrap();

    assert_eq!(
        (logged(&app, &other.id, Verdict::Valid).await, logged(&app, &other.id, Verdict::Expired).await),
        (500, 5)
    );
    let of_flood = logged(&app, &flooding.id, Verdict::Valid).await;
    assert!((1_000..2_000).contains(&of_flood), "{of_flood}");
    assert_eq!(logged(&app, &flooding.id, Verdict::Revoked).await, 10);
    assert_eq!(counted(&app, &flooding.id).await, ["REVOKED 20000", "VALID 20000"]);
    assert_eq!(counted(&app, &other.id).await, ["EXPIRED 5", "VALID 500"]);
}

async fn flooding_key_does_not_crowd_out_other_keys_of_its_tenant(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let flooding = key_of(&app, &tenant, "Flood").await;
    let other = key_of(&app, &tenant, "PMS").await;
    record(&app, &flooding, Verdict::Valid, 20_000);
    record(&app, &other, Verdict::Valid, 200);
    app.keyring.write_usage().await.unwrap();
    assert_eq!(logged(&app, &other.id, Verdict::Valid).await, 200);

    // Calls logged in the previous batch use no room in the next one.
    record(&app, &other, Verdict::Valid, 1_000);
    app.keyring.write_usage().await.unwrap();
    assert_eq!(logged(&app, &other.id, Verdict::Valid).await, 1_200);
    assert_eq!(counted(&app, &flooding.id).await, ["VALID 20000"]);
    assert_eq!(counted(&app, &other.id).await, ["VALID 1200"]);
}
