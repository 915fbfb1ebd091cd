//! Waits until no node uses the state before a change.

use std::collections::HashMap;

use domain::cluster::{NodeName, Revision, StaleNode};

use super::{CHANGE_TIMEOUT, ClusterStore};
use crate::clock::{Millis, Runtime};

/// The first and the longest pause between two checks.
const INITIAL_PAUSE: Millis = 1;
const MAX_PAUSE: Millis = 25;

/// Waits until every node has applied a committed revision, or its lease has expired. Nodes that did not answer are
/// deregistered, so that the next change does not wait for them.
pub async fn await_acknowledgements<W: ClusterStore + Runtime>(world: &W, revision: Revision) {
    let mut first_seen: Option<(Millis, HashMap<NodeName, i64>)> = None;
    let mut pause = INITIAL_PAUSE;
    loop {
        // If the database fails now, only waiting for the leases to expire is safe.
        let behind = world.behind(revision).await.ok();
        let now = world.ticks();
        if behind.as_ref().is_some_and(Vec::is_empty) {
            return;
        }
        let (since, _) = &*first_seen.get_or_insert_with(|| (now, heartbeats(behind.as_deref().unwrap_or_default())));
        if now >= *since + CHANGE_TIMEOUT {
            break;
        }
        world.sleep(pause).await;
        pause = (pause * 2).min(MAX_PAUSE);
    }
    for (name, heartbeat) in first_seen.map(|(_, heartbeats)| heartbeats).unwrap_or_default() {
        // A node with a later heartbeat is alive and is not removed. If this fails, the next change waits once more.
        let _ = world.deregister(&StaleNode { name, heartbeat }).await;
    }
}

fn heartbeats(stale_nodes: &[StaleNode]) -> HashMap<NodeName, i64> {
    stale_nodes.iter().map(|stale_node| (stale_node.name.clone(), stale_node.heartbeat)).collect()
}
