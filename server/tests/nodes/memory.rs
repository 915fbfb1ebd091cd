//! However many keys there are, they take no more memory than the operator said, and are all answered rightly.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::task::JoinSet;
use ulid::Ulid;

use super::{
    cluster::{Cluster, Demand, Face, Said, made_up_secret},
    stage::{Base, Key, Stage},
};

/// Each with as long an allowlist as there can be. In memory all of them would take twelve times what the server may use.
const KEYS: u64 = 3_000;

/// As many as fit into that, and some more.
const SOME: usize = 500;

/// By how much a server may grow that has its memory full already: usage to be written, the calls of the last minute,
/// what the allocator and the database keep. The keys alone would be more.
const KILOBYTES: u64 = 6 * 1_024;

const AT_ONCE: u64 = 8;
const REVOKED: usize = 5;

/// Copies a key, with secrets that are made up.
async fn copies_of(template: &Key, stage: &Stage) -> Vec<Key> {
    let copy =
        |number: u64| Key { id: format!("key_{}", Ulid::from_parts(0, number.into())), secret: made_up_secret(number) };
    let keys: Vec<Key> = (0..KEYS).map(copy).collect();
    let row = |key: &Key| format!("('{}', '{}')", key.id, hex(&Sha256::digest(&key.secret)));
    let rows: Vec<String> = keys.iter().map(row).collect();
    let (copies, rows) = ("WITH copy (id, sha256) AS (VALUES ", rows.join(", "));
    let others = "tenant_id, kind, name, description, group_id, scopes, all_properties, allowed_ips, allowed_origins, \
         rate_limit_per_minute, created_at, created_by, version, search_text, sort_name";
    let from = format!("FROM api_key JOIN copy ON true WHERE api_key.id = '{}'", template.id);
    let insert = format!("{copies}{rows}) INSERT INTO api_key (id, {others}) SELECT copy.id, {others} {from}");
    stage.change_database(&insert).await;
    let from = format!("FROM api_key_secret JOIN copy ON true WHERE api_key_id = '{}'", template.id);
    let columns = "(sha256, api_key_id, head, tail, created_at)";
    let insert =
        format!("INSERT INTO api_key_secret {columns} SELECT copy.sha256, copy.id, head, tail, created_at {from}");
    stage.change_database(&format!("{copies}{rows}) {insert}")).await;
    keys
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Asks about all of them, from the first to the last, and says what was answered.
async fn said_of(cluster: &Cluster, keys: &[Key]) -> Vec<Said> {
    let secrets: Arc<[String]> = keys.iter().map(|key| key.secret.clone()).collect();
    let mut asking = JoinSet::new();
    for first in 0..AT_ONCE as usize {
        let (asker, url, secrets) = (cluster.asker.clone(), cluster.stage.program.url.clone(), secrets.clone());
        asking.spawn(async move {
            let mut said = Vec::new();
            for place in (first..secrets.len()).step_by(AT_ONCE as usize) {
                said.push((place, asker.ask(&url, Face::Verify, &secrets[place], &Demand::default()).await));
            }
            said
        });
    }
    let mut said: Vec<(usize, Said)> = asking.join_all().await.into_iter().flatten().collect();
    said.sort_by_key(|(place, _)| *place);
    said.into_iter().map(|(_, said)| said).collect()
}

async fn more_keys_than_fit_are_answered_within_the_memory(base: Base) {
    let cluster = Cluster::around(base.stage_with(&["--memory", "1"]), 0);
    let ranges: Vec<String> = (1..100).map(|number| format!("2001:db8:{number}::/48")).collect();
    let words = ranges.iter().flat_map(|range| ["--ip", range]).chain(["--ip", "127.0.0.1"]);
    let template = cluster.key(&words.collect::<Vec<_>>());
    let keys = copies_of(&template, &cluster.stage).await;

    assert!(said_of(&cluster, &keys[..SOME]).await.iter().all(|said| *said == Said::Valid));
    let full = cluster.stage.program.memory("VmRSS");
    for round in 1..=2 {
        let said = said_of(&cluster, &keys).await;
        assert!(said.iter().all(|said| *said == Said::Valid), "in round {round}");
    }
    let grown = cluster.stage.program.memory("VmRSS").saturating_sub(full);
    assert!(grown < KILOBYTES, "by {grown} kB");

    let is_revoked = |place: usize| place % (keys.len() / REVOKED) == 0;
    for (_, key) in keys.iter().enumerate().filter(|(place, _)| is_revoked(*place)) {
        cluster.stage.revoke(key);
    }
    for (place, said) in said_of(&cluster, &keys).await.into_iter().enumerate() {
        let expected = if is_revoked(place) { Said::Refused("REVOKED".to_owned()) } else { Said::Valid };
        assert_eq!(said, expected, "the key at {place}");
    }
    let nobodys = made_up_secret(KEYS);
    assert_eq!(
        cluster.says(&cluster.stage.program, Face::Verify, &nobodys, &Demand::default()).await,
        Said::Refused("NOT_FOUND".to_owned())
    );
}

on_both_databases!(more_keys_than_fit_are_answered_within_the_memory);
