//! What is recorded about calls: exact counts, and a log that no key fills alone.

use std::{net::IpAddr, sync::Arc};

use domain::{id::KeyId, verdict::Verdict};
use keyring::{AccessQuery, CachedKey, CallDetails, NewSecret, Requirement, TenantAdmin, Use};

use super::stage::{Stage, home};

on_both_databases! {
    flooding_key_does_not_crowd_out_other_tenants,
    flooding_key_does_not_crowd_out_other_keys_of_its_tenant,
}

async fn key_of(stage: &Stage, tenant: &TenantAdmin, name: &str) -> Arc<CachedKey> {
    let NewSecret { secret, .. } = stage.generate(tenant, name).await;
    let requirement = Requirement { permission: None, property: None, cost: 0, tenant: None };
    let query = AccessQuery { address: None, nearest: home(), origin: None, requirement };
    stage.keyring.verify(&secret, &query).await.unwrap().key.unwrap()
}

fn record(stage: &Stage, key: &CachedKey, verdict: Verdict, amount: usize) {
    let used = Use { at: stage.now(), verdict, address: Some(IpAddr::from([203, 0, 113, 9])) };
    for _ in 0..amount {
        stage.keyring.record(key, used, || CallDetails { method: "GET", status: 200, ..CallDetails::default() });
    }
}

async fn logged(stage: &Stage, key: &KeyId, verdict: Verdict) -> usize {
    let sql = format!("SELECT method FROM usage_event WHERE api_key_id = '{key}' AND outcome = '{verdict}'");
    stage.texts(&sql).await.len()
}

async fn counted(stage: &Stage, key: &KeyId) -> Vec<String> {
    let counts = "SELECT outcome || ' ' || CAST(count AS text) FROM usage_hour";
    stage.texts(&format!("{counts} WHERE api_key_id = '{key}' ORDER BY outcome")).await
}

async fn flooding_key_does_not_crowd_out_other_tenants(stage: Stage) {
    let flooding = key_of(&stage, &stage.tenant("noisy").await, "Flood").await;
    let other = key_of(&stage, &stage.tenant("quiet").await, "PMS").await;
    record(&stage, &flooding, Verdict::Valid, 20_000);
    record(&stage, &flooding, Verdict::Revoked, 20_000);
    record(&stage, &other, Verdict::Valid, 500);
    record(&stage, &other, Verdict::Expired, 5);
    stage.keyring.write_usage().await.unwrap();

    assert_eq!(
        (logged(&stage, &other.id, Verdict::Valid).await, logged(&stage, &other.id, Verdict::Expired).await),
        (500, 5)
    );
    let of_flood = logged(&stage, &flooding.id, Verdict::Valid).await;
    assert!((1_000..2_000).contains(&of_flood), "{of_flood}");
    assert_eq!(logged(&stage, &flooding.id, Verdict::Revoked).await, 10);
    assert_eq!(counted(&stage, &flooding.id).await, ["REVOKED 20000", "VALID 20000"]);
    assert_eq!(counted(&stage, &other.id).await, ["EXPIRED 5", "VALID 500"]);
}

async fn flooding_key_does_not_crowd_out_other_keys_of_its_tenant(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    let flooding = key_of(&stage, &tenant, "Flood").await;
    let other = key_of(&stage, &tenant, "PMS").await;
    record(&stage, &flooding, Verdict::Valid, 20_000);
    record(&stage, &other, Verdict::Valid, 200);
    stage.keyring.write_usage().await.unwrap();
    assert_eq!(logged(&stage, &other.id, Verdict::Valid).await, 200);

    // What the batch before had logged takes no room in the next one.
    record(&stage, &other, Verdict::Valid, 1_000);
    stage.keyring.write_usage().await.unwrap();
    assert_eq!(logged(&stage, &other.id, Verdict::Valid).await, 1_200);
    assert_eq!(counted(&stage, &flooding.id).await, ["VALID 20000"]);
    assert_eq!(counted(&stage, &other.id).await, ["VALID 1200"]);
}
