//! However many keys there are, they take no more memory than the operator said, and are all answered rightly.

use sha2::{Digest, Sha256};
use test_support::test_app::{Base, Key, TestApp};
use ulid::Ulid;

use super::cluster::{Cluster, Demand, Surface, Verdict, made_up_secret};

/// In memory, all of them would take many times what the server may use.
const KEYS: u64 = 1_200;

/// A server's memory varies by up to forty megabytes on a busy machine however few keys there are, because the allocator
/// returns it late. With names far longer than any form accepts, a thousand keys outweigh that.
const LETTERS: usize = 100_000;

/// The memory growth allowed to a server whose cache is full. All keys would need half as much again.
const KILOBYTES: u64 = 80 * 1_024;

/// More keys than fit into the cache.
const SOME: usize = 100;

const AT_ONCE: usize = 8;

/// One of this many keys is verified again.
const EACH: usize = 5;

/// The columns that the copies of a key share.
const TERMS: &str = "tenant_id, kind, name, description, group_id, scopes, all_properties, allowed_ips, allowed_origins, \
    rate_limit_per_minute, created_at, created_by, version, search_text, sort_name";

/// Copies a key, with secrets that are made up.
async fn copies_of(template: &Key, app: &TestApp) -> Vec<Key> {
    let copy =
        |number: u64| Key { id: format!("key_{}", Ulid::from_parts(0, number.into())), secret: made_up_secret(number) };
    let keys: Vec<Key> = (0..KEYS).map(copy).collect();
    let row = |key: &Key| format!("('{}', '{}')", key.id, hex(&Sha256::digest(&key.secret)));
    let rows: Vec<String> = keys.iter().map(row).collect();
    let (rows, template) = (rows.join(", "), &template.id);
    app.change_database(&format!("UPDATE api_key SET name = '{}' WHERE id = '{template}'", "A".repeat(LETTERS))).await;
    app.change_database(&format!(
        "WITH copy (id, sha256) AS (VALUES {rows})
             INSERT INTO api_key (id, {TERMS})
             SELECT copy.id, {TERMS} FROM api_key JOIN copy ON true WHERE api_key.id = '{template}'"
    ))
    .await;
    app
        .change_database(&format!(
            "WITH copy (id, sha256) AS (VALUES {rows})
             INSERT INTO api_key_secret (sha256, api_key_id, head, tail, created_at, secret_id)
             SELECT copy.sha256, copy.id, head, tail, created_at, REPLACE(copy.id, 'key_', 'sec_') FROM api_key_secret JOIN copy ON true
             WHERE api_key_id = '{template}'"
        ))
        .await;
    keys
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Verifies all of them, some at a time, and returns the verdicts.
async fn said_of(cluster: &Cluster, keys: &[Key]) -> Vec<Verdict> {
    let ask = |some: &[Key]| {
        let (asker, url, some) = (cluster.asker.clone(), cluster.app.program.url.clone(), some.to_vec());
        tokio::spawn(async move {
            let mut verdict = Vec::new();
            for key in some {
                verdict.push(asker.ask(&url, Surface::Verify, &key.secret, &Demand::default()).await);
            }
            verdict
        })
    };
    let asking: Vec<_> = keys.chunks(keys.len().div_ceil(AT_ONCE)).map(ask).collect();
    let mut verdict = Vec::new();
    for some in asking {
        verdict.extend(some.await.unwrap());
    }
    verdict
}

async fn cache_stays_within_its_memory_limit(base: Base) {
    let cluster = Cluster::around(base.start_with(&["--memory", "1"]), 0);
    let template = cluster.key(&[]);
    let keys = copies_of(&template, &cluster.app).await;

    assert!(said_of(&cluster, &keys[..SOME]).await.iter().all(|verdict| *verdict == Verdict::Valid));
    let full = cluster.app.program.memory("VmRSS");
    assert!(said_of(&cluster, &keys).await.iter().all(|verdict| *verdict == Verdict::Valid));
    let grown = cluster.app.program.memory("VmRSS").saturating_sub(full);
    assert!(grown < KILOBYTES, "by {grown} kB");

    let some: Vec<Key> = keys.into_iter().step_by(EACH).collect();
    let is_revoked = |place: usize| place.is_multiple_of(EACH * EACH);
    for key in some.iter().step_by(EACH * EACH) {
        cluster.app.revoke(key);
    }
    for (place, verdict) in said_of(&cluster, &some).await.into_iter().enumerate() {
        let expected = if is_revoked(place) { Verdict::Refused("REVOKED".to_owned()) } else { Verdict::Valid };
        assert_eq!(verdict, expected, "the key at {place}");
    }
    let nobodys = made_up_secret(KEYS);
    assert_eq!(
        cluster.says(&cluster.app.program, Surface::Verify, &nobodys, &Demand::default()).await,
        Verdict::Refused("NOT_FOUND".to_owned())
    );
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    cache_stays_within_its_memory_limit,
}
