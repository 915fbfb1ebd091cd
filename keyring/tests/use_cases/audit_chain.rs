use domain::id::Id;
use keyring::{ChainReport, Fault, Flaw, TenantAdmin};
use sea_orm::ConnectionTrait;

use super::stage::Stage;

on_both_databases! {
    what_nobody_touched_is_whole,
    every_column_of_a_row_counts,
    a_row_that_is_gone_is_missed,
    rows_keep_their_order,
    nothing_is_added_behind_the_end,
    the_end_is_known,
    chains_are_found_whatever_is_left_of_them,
}

/// A tenant with five rows in its chain.
async fn tenant_of_five(stage: &Stage, slug: &str) -> TenantAdmin {
    let tenant = stage.tenant(slug).await;
    for name in ["PMS", "Widget"] {
        stage.generate(&tenant, name).await;
    }
    tenant
}

async fn tamper(stage: &Stage, sql: &str) {
    stage.connection().await.execute_unprepared(sql).await.unwrap();
}

async fn report(stage: &Stage, tenant: &TenantAdmin) -> ChainReport {
    let [report] = stage.keyring.verify_audit(Some(tenant)).await.unwrap().try_into().unwrap();
    report
}

/// The number of the first row that is not as it was, and why.
async fn fault(stage: &Stage, tenant: &TenantAdmin) -> Option<(i64, Flaw)> {
    report(stage, tenant).await.fault.map(|fault| (fault.sequence, fault.why))
}

async fn what_nobody_touched_is_whole(stage: Stage) {
    let tenant = tenant_of_five(&stage, "acme").await;
    stage.admin(&tenant, "Ana").await;
    stage.tenant("other").await;
    let reports = stage.keyring.verify_audit(None).await.unwrap();
    let told: Vec<(&str, i64, bool)> =
        reports.iter().map(|report| (report.chain.as_str(), report.rows, report.fault.is_none())).collect();
    assert_eq!(told, [("acme", 7, true), ("other", 3, true)]);
}

async fn every_column_of_a_row_counts(stage: Stage) {
    for (number, (change, expected)) in [
        ("chain_id = 'elsewhere'", Flaw::Missing),
        ("sequence = 99", Flaw::Missing),
        ("at = '2026-11-21 12:00:01+00:00'", Flaw::Altered),
        ("actor = 'per_01JCQ4Y2V9ZK3T5N6R7S8W9XAB'", Flaw::Altered),
        ("actor_name = 'Nobody'", Flaw::Altered),
        ("action = 'key.revoked'", Flaw::Altered),
        ("subject = 'prp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB'", Flaw::Altered),
        ("subject_name = ''", Flaw::Altered),
        ("address = '203.0.113.7'", Flaw::Altered),
        ("address = ''", Flaw::Altered),
        ("detail = '{}'", Flaw::Altered),
        ("hash = 'abc'", Flaw::Altered),
    ]
    .into_iter()
    .enumerate()
    {
        let tenant = tenant_of_five(&stage, &format!("tenant-{number}")).await;
        let id = tenant.tenant().id.as_str();
        tamper(&stage, &format!("UPDATE audit_event SET {change} WHERE chain_id = '{id}' AND sequence = 3")).await;
        let report = report(&stage, &tenant).await;
        let when = (expected != Flaw::Missing).then(|| stage.now());
        let (rows, found) = (report.rows, report.fault.expect(change));
        assert_eq!((rows, found.sequence, found.why), (2, 3, expected), "{change}");
        assert!(change.starts_with("at") || found.at == when, "{change}: {:?}", found.at);
    }
}

async fn a_row_that_is_gone_is_missed(stage: Stage) {
    for gone in [1, 3, 5] {
        let tenant = tenant_of_five(&stage, &format!("without-{gone}")).await;
        let id = tenant.tenant().id.as_str();
        tamper(&stage, &format!("DELETE FROM audit_event WHERE chain_id = '{id}' AND sequence = {gone}")).await;
        let expected = Fault { sequence: gone, at: None, why: Flaw::Missing };
        assert_eq!(report(&stage, &tenant).await.fault, Some(expected));
    }
}

async fn rows_keep_their_order(stage: Stage) {
    let tenant = tenant_of_five(&stage, "acme").await;
    let id = tenant.tenant().id.as_str();
    for (from, to) in [(2, 99), (3, 2), (99, 3)] {
        let sql = format!("UPDATE audit_event SET sequence = {to} WHERE chain_id = '{id}' AND sequence = {from}");
        tamper(&stage, &sql).await;
    }
    assert_eq!(fault(&stage, &tenant).await, Some((2, Flaw::Altered)));
}

async fn nothing_is_added_behind_the_end(stage: Stage) {
    for (slug, place) in [("end", 6), ("beginning", 0)] {
        let tenant = tenant_of_five(&stage, slug).await;
        let id = tenant.tenant().id.as_str();
        let columns = "at, actor, actor_name, action, subject, subject_name, address, detail, hash";
        let copy = format!(
            "INSERT INTO audit_event (chain_id, sequence, {columns}) \
             SELECT chain_id, {place}, {columns} FROM audit_event WHERE chain_id = '{id}' AND sequence = 5"
        );
        tamper(&stage, &copy).await;
        assert_eq!(fault(&stage, &tenant).await, Some((place, Flaw::Added)), "{slug}");
    }
}

async fn the_end_is_known(stage: Stage) {
    for (slug, change, expected) in [
        ("longer", "UPDATE audit_chain SET length = 6", (6, Flaw::Missing)),
        ("shorter", "UPDATE audit_chain SET length = 4", (5, Flaw::Added)),
        ("another", "UPDATE audit_chain SET hash = 'abc'", (5, Flaw::AnotherEnd)),
        ("none", "DELETE FROM audit_chain", (1, Flaw::Added)),
    ] {
        let tenant = tenant_of_five(&stage, slug).await;
        tamper(&stage, &format!("{change} WHERE id = '{}'", tenant.tenant().id.as_str())).await;
        assert_eq!(fault(&stage, &tenant).await, Some(expected), "{slug}");
    }
}

async fn chains_are_found_whatever_is_left_of_them(stage: Stage) {
    let tenant = tenant_of_five(&stage, "acme").await;
    let id = tenant.tenant().id.as_str();
    tamper(&stage, &format!("UPDATE audit_event SET chain_id = 'elsewhere' WHERE chain_id = '{id}'")).await;
    tamper(&stage, &format!("DELETE FROM audit_chain WHERE id = '{id}'")).await;
    let reports = stage.keyring.verify_audit(None).await.unwrap();
    let told: Vec<(&str, Option<(i64, Flaw)>)> = reports
        .iter()
        .map(|report| (report.chain.as_str(), report.fault.as_ref().map(|fault| (fault.sequence, fault.why))))
        .collect();
    assert_eq!(told, [("acme", Some((1, Flaw::Missing))), ("elsewhere", Some((1, Flaw::Added)))]);
}
