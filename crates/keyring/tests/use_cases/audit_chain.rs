use std::fs;

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use domain::id::Id;
use keyring::{AuditHead, ChainError, ChainErrorKind, ChainReport, OpenError, TenantAdmin, generate_secret_key};
use sea_orm::{ConnectionTrait, Statement};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use super::fixture::{TestKeyring, write_secret_keys};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    untouched_chain_is_intact,
    change_of_any_column_is_detected,
    deleted_row_is_detected,
    reordered_rows_are_detected,
    appended_row_is_detected,
    truncation_is_detected,
    chains_are_found_from_any_remnant,
    chain_cannot_be_rewritten_without_the_key,
    truncated_chain_does_not_contain_its_head,
    events_stay_verifiable_after_a_rotation,
    chains_of_an_earlier_version_are_sealed_once,
    keyed_chain_is_not_sealed_again,
}

/// A tenant with five rows in its chain.
async fn tenant_of_five(app: &TestKeyring, slug: &str) -> TenantAdmin {
    let tenant = app.tenant(slug).await;
    for name in ["PMS", "Widget"] {
        app.generate(&tenant, name).await;
    }
    tenant
}

async fn tamper(app: &TestKeyring, sql: &str) {
    app.connection().await.execute_unprepared(sql).await.unwrap();
}

async fn report(app: &TestKeyring, tenant: &TenantAdmin) -> ChainReport {
    let [report] = app.keyring.verify_audit(Some(tenant), &[]).await.unwrap().chains.try_into().unwrap();
    report
}

/// The number of the first row that is not as it was, and why.
async fn fault(app: &TestKeyring, tenant: &TenantAdmin) -> Option<(i64, ChainErrorKind)> {
    report(app, tenant).await.fault.map(|fault| (fault.sequence, fault.why))
}

async fn untouched_chain_is_intact(app: TestKeyring) {
    let tenant = tenant_of_five(&app, "acme").await;
    app.admin(&tenant, "Ana").await;
    app.tenant("other").await;
    let reports = app.keyring.verify_audit(None, &[]).await.unwrap().chains;
    let told: Vec<(&str, i64, bool)> =
        reports.iter().map(|report| (report.chain.as_str(), report.rows, report.fault.is_none())).collect();
    assert_eq!(told, [("acme", 7, true), ("other", 3, true)]);
}

async fn change_of_any_column_is_detected(app: TestKeyring) {
    for (number, (change, expected)) in [
        ("chain_id = 'elsewhere'", ChainErrorKind::Missing),
        ("sequence = 99", ChainErrorKind::Missing),
        ("at = '2026-11-21 12:00:01+00:00'", ChainErrorKind::Altered),
        ("actor = 'per_01JCQ4Y2V9ZK3T5N6R7S8W9XAB'", ChainErrorKind::Altered),
        ("actor_name = 'Mallory'", ChainErrorKind::Altered),
        ("action = 'key.revoked'", ChainErrorKind::Altered),
        ("subject = 'prp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB'", ChainErrorKind::Altered),
        ("subject_name = ''", ChainErrorKind::Altered),
        ("address = '203.0.113.7'", ChainErrorKind::Altered),
        ("address = ''", ChainErrorKind::Altered),
        ("detail = '{}'", ChainErrorKind::Altered),
        ("hash = 'abc'", ChainErrorKind::Altered),
        ("key_id = NULL", ChainErrorKind::Unkeyed),
        ("key_id = '0000000000000000'", ChainErrorKind::UnknownKey),
    ]
    .into_iter()
    .enumerate()
    {
        let tenant = tenant_of_five(&app, &format!("tenant-{number}")).await;
        let id = tenant.tenant().id.as_str();
        tamper(&app, &format!("UPDATE audit_event SET {change} WHERE chain_id = '{id}' AND sequence = 3")).await;
        let report = report(&app, &tenant).await;
        let when = (expected != ChainErrorKind::Missing).then(|| app.now());
        let (rows, found) = (report.rows, report.fault.expect(change));
        assert_eq!((rows, found.sequence, found.why), (2, 3, expected), "{change}");
        assert!(change.starts_with("at") || found.at == when, "{change}: {:?}", found.at);
    }
}

async fn deleted_row_is_detected(app: TestKeyring) {
    for gone in [1, 3, 5] {
        let tenant = tenant_of_five(&app, &format!("without-{gone}")).await;
        let id = tenant.tenant().id.as_str();
        tamper(&app, &format!("DELETE FROM audit_event WHERE chain_id = '{id}' AND sequence = {gone}")).await;
        let expected = ChainError { sequence: gone, at: None, why: ChainErrorKind::Missing };
        assert_eq!(report(&app, &tenant).await.fault, Some(expected));
    }
}

async fn reordered_rows_are_detected(app: TestKeyring) {
    let tenant = tenant_of_five(&app, "acme").await;
    let id = tenant.tenant().id.as_str();
    for (from, to) in [(2, 99), (3, 2), (99, 3)] {
        let sql = format!("UPDATE audit_event SET sequence = {to} WHERE chain_id = '{id}' AND sequence = {from}");
        tamper(&app, &sql).await;
    }
    assert_eq!(fault(&app, &tenant).await, Some((2, ChainErrorKind::Altered)));
}

async fn appended_row_is_detected(app: TestKeyring) {
    for (slug, place) in [("end", 6), ("beginning", 0)] {
        let tenant = tenant_of_five(&app, slug).await;
        let id = tenant.tenant().id.as_str();
        let columns = "at, actor, actor_name, action, subject, subject_name, address, detail, hash, key_id";
        let copy = format!(
            "INSERT INTO audit_event (chain_id, sequence, {columns}) \
             SELECT chain_id, {place}, {columns} FROM audit_event WHERE chain_id = '{id}' AND sequence = 5"
        );
        tamper(&app, &copy).await;
        assert_eq!(fault(&app, &tenant).await, Some((place, ChainErrorKind::Added)), "{slug}");
    }
}

async fn truncation_is_detected(app: TestKeyring) {
    for (slug, change, expected) in [
        ("longer", "UPDATE audit_chain SET length = 6", (6, ChainErrorKind::Missing)),
        ("shorter", "UPDATE audit_chain SET length = 4", (5, ChainErrorKind::Added)),
        ("another", "UPDATE audit_chain SET hash = 'abc'", (5, ChainErrorKind::AnotherEnd)),
        ("none", "DELETE FROM audit_chain", (1, ChainErrorKind::Added)),
    ] {
        let tenant = tenant_of_five(&app, slug).await;
        tamper(&app, &format!("{change} WHERE id = '{}'", tenant.tenant().id.as_str())).await;
        assert_eq!(fault(&app, &tenant).await, Some(expected), "{slug}");
    }
}

async fn chains_are_found_from_any_remnant(app: TestKeyring) {
    let tenant = tenant_of_five(&app, "acme").await;
    let id = tenant.tenant().id.as_str();
    tamper(&app, &format!("UPDATE audit_event SET chain_id = 'elsewhere' WHERE chain_id = '{id}'")).await;
    tamper(&app, &format!("DELETE FROM audit_chain WHERE id = '{id}'")).await;
    let reports = app.keyring.verify_audit(None, &[]).await.unwrap().chains;
    let told: Vec<(&str, Option<(i64, ChainErrorKind)>)> = reports
        .iter()
        .map(|report| (report.chain.as_str(), report.fault.as_ref().map(|fault| (fault.sequence, fault.why))))
        .collect();
    assert_eq!(told, [("acme", Some((1, ChainErrorKind::Missing))), ("elsewhere", Some((1, ChainErrorKind::Added)))]);
}

/// Computes all hashes without a key, as earlier versions did: what an attacker can do who does not have the key.
pub async fn rewrite_without_key(app: &TestKeyring) {
    let connection = app.connection().await;
    let backend = connection.get_database_backend();
    for chain in app.texts("SELECT id FROM audit_chain").await {
        let sql = format!("SELECT * FROM audit_event WHERE chain_id = '{chain}' ORDER BY sequence");
        let mut hash = String::new();
        for row in connection.query_all_raw(Statement::from_string(backend, sql)).await.unwrap() {
            let text = |column| row.try_get::<String>("", column).unwrap();
            let sequence = row.try_get::<i64>("", "sequence").unwrap();
            let at = row.try_get::<DateTime<Utc>>("", "at").unwrap();
            let address = row.try_get::<Option<String>>("", "address").unwrap();
            let fields = [
                hash,
                text("chain_id"),
                sequence.to_string(),
                at.timestamp_millis().to_string(),
                text("actor"),
                text("actor_name"),
                text("action"),
                text("subject"),
                text("subject_name"),
                address.map_or_else(|| "none".to_owned(), |address| format!("from {address}")),
                text("detail"),
            ];
            let fields: String = fields.iter().map(|field| format!("{}:{field}\n", field.len())).collect();
            hash = HEXLOWER.encode(&Sha256::digest(fields));
            let place = format!("chain_id = '{chain}' AND sequence = {sequence}");
            tamper(app, &format!("UPDATE audit_event SET hash = '{hash}', key_id = NULL WHERE {place}")).await;
        }
        tamper(app, &format!("UPDATE audit_chain SET hash = '{hash}' WHERE id = '{chain}'")).await;
    }
}

async fn head(app: &TestKeyring, tenant: &TenantAdmin) -> AuditHead {
    report(app, tenant).await.head.expect("the chain is whole")
}

/// The expected heads that the tenant's chain does not contain.
async fn missing(app: &TestKeyring, tenant: &TenantAdmin, expected: &[AuditHead]) -> Vec<AuditHead> {
    app.keyring.verify_audit(Some(tenant), expected).await.unwrap().missing
}

async fn chain_cannot_be_rewritten_without_the_key(app: TestKeyring) {
    let tenant = tenant_of_five(&app, "acme").await;
    tamper(&app, "UPDATE audit_event SET actor_name = 'Forged' WHERE sequence = 3").await;
    rewrite_without_key(&app).await;
    assert_eq!(fault(&app, &tenant).await, Some((5, ChainErrorKind::Unkeyed)), "the chain has to end with a key");
    app.generate(&tenant, "Later").await;
    assert_eq!(fault(&app, &tenant).await, Some((5, ChainErrorKind::Unkeyed)), "a later event is no seal");
}

async fn truncated_chain_does_not_contain_its_head(app: TestKeyring) {
    let tenant = tenant_of_five(&app, "acme").await;
    let early = head(&app, &tenant).await;
    assert!(early.to_string().starts_with("5:"), "{early}");
    assert_eq!(early.to_string().parse(), Ok(early.clone()));
    app.generate(&tenant, "Sixth").await;
    let heads = [early.clone(), head(&app, &tenant).await];
    assert_eq!(missing(&app, &tenant, &heads).await, []);
    assert_eq!(app.keyring.audit_heads().await.unwrap(), [("acme".to_owned(), heads[1].clone())]);
    let id = tenant.tenant().id.as_str();
    tamper(&app, &format!("DELETE FROM audit_event WHERE chain_id = '{id}' AND sequence = 6")).await;
    let hash = early.to_string().split_once(':').unwrap().1.to_owned();
    tamper(&app, &format!("UPDATE audit_chain SET length = 5, hash = '{hash}' WHERE id = '{id}'")).await;
    assert_eq!(fault(&app, &tenant).await, None);
    assert_eq!(missing(&app, &tenant, &heads).await, heads[1..]);
}

async fn events_stay_verifiable_after_a_rotation(app: TestKeyring) {
    let tenant = tenant_of_five(&app, "acme").await;
    let old = fs::read_to_string(&app.secret_keys).unwrap();
    let new = generate_secret_key();
    write_secret_keys(&app.secret_keys, &[new.expose_secret(), old.trim()]);
    let rotated = app.reopen().await.unwrap();
    rotated.rotate_secret_key().await.unwrap();
    let verified = rotated.verify_audit(None, &[]).await.unwrap();
    assert!(verified.chains.iter().all(|report| report.fault.is_none()), "{verified:?}");
    let key_ids = app.texts("SELECT DISTINCT key_id FROM audit_event").await;
    assert_eq!(key_ids.len(), 2, "the old key and the new one");

    write_secret_keys(&app.secret_keys, &[new.expose_secret()]);
    let without_old = app.reopen().await.unwrap();
    let verified = without_old.verify_audit(Some(&tenant), &[]).await.unwrap();
    let found = verified.chains[0].fault.as_ref().map(|fault| (fault.sequence, fault.why));
    assert_eq!(found, Some((1, ChainErrorKind::UnknownKey)), "the retired key has to stay in the file");
}

async fn chains_of_an_earlier_version_are_sealed_once(app: TestKeyring) {
    let tenant = tenant_of_five(&app, "acme").await;
    app.tenant("other").await;
    rewrite_without_key(&app).await;
    tamper(&app, "UPDATE installation SET secret_key_check = NULL").await;
    let (one, other) = tokio::join!(app.reopen(), app.reopen());
    one.and(other).unwrap();
    app.reopen().await.unwrap();
    let seals = "SELECT actor || ' ' || detail FROM audit_event WHERE action = 'audit.sealed' ORDER BY sequence DESC";
    let seals = app.texts(seals).await;
    assert_eq!(seals.len(), 2, "one for each chain: {seals:?}");
    assert!(seals[0].starts_with(r#"latchkey {"events":5,"hash":""#), "{seals:?}");
    assert_eq!(report(&app, &tenant).await.rows, 6);
    assert_eq!(fault(&app, &tenant).await, None);

    tamper(&app, "UPDATE audit_event SET actor_name = 'Forged' WHERE sequence = 3").await;
    rewrite_all_but_the_seal(&app, &tenant).await;
    assert_eq!(fault(&app, &tenant).await, Some((6, ChainErrorKind::Altered)), "the seal covers what came before it");
}

/// Rewrites the part of a chain that has no key, and leaves the seal as it is.
async fn rewrite_all_but_the_seal(app: &TestKeyring, tenant: &TenantAdmin) {
    let id = tenant.tenant().id.as_str();
    let column = |name| format!("SELECT {name} FROM audit_event WHERE chain_id = '{id}' AND sequence = 6");
    let (hash, key_id) = (app.texts(&column("hash")).await, app.texts(&column("key_id")).await);
    rewrite_without_key(app).await;
    let seal = format!("SET hash = '{}', key_id = '{}'", hash[0], key_id[0]);
    tamper(app, &format!("UPDATE audit_event {seal} WHERE chain_id = '{id}' AND sequence = 6")).await;
    tamper(app, &format!("UPDATE audit_chain SET hash = '{}' WHERE id = '{id}'", hash[0])).await;
}

async fn keyed_chain_is_not_sealed_again(app: TestKeyring) {
    tenant_of_five(&app, "acme").await;
    tamper(&app, "UPDATE installation SET secret_key_check = NULL").await;
    let refused = app.reopen().await.err().expect("the check value was removed");
    assert!(matches!(refused, OpenError::Database(_)), "{refused:?}");
    assert!(refused.to_string().contains("audit event"), "{refused}");
}
