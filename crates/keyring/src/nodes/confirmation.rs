//! How a change waits until no node uses the old state.

use std::collections::HashMap;

use super::{ClusterStore, NodeName, PATIENCE, Revision, Runtime, StaleNode};
use crate::clock::Millis;

/// How long to wait before looking again, at first and at most.
const INITIAL_PAUSE: Millis = 1;
const MAX_PAUSE: Millis = 25;

/// Waits until every node has applied a revision that is committed, or can have no lease any more. The
/// nodes that did not answer are taken off the list: the next change need not wait for them.
pub(crate) async fn await_acknowledgements<W: ClusterStore + Runtime>(world: &W, revision: Revision) {
    let mut first_seen: Option<(Millis, HashMap<NodeName, i64>)> = None;
    let mut pause = INITIAL_PAUSE;
    loop {
        // If the database fails now, only waiting for the leases to expire is safe.
        let behind = world.behind(revision).await.ok();
        let now = world.ticks();
        if behind.as_ref().is_some_and(Vec::is_empty) {
            return;
        }
        let (since, _) = &*first_seen.get_or_insert_with(|| (now, beats(behind.as_deref().unwrap_or_default())));
        if now >= *since + PATIENCE {
            break;
        }
        world.sleep(pause).await;
        pause = (pause * 2).min(MAX_PAUSE);
    }
    for (name, heartbeat) in first_seen.map(|(_, beats)| beats).unwrap_or_default() {
        // A node with a later heartbeat is alive and is not removed. If this fails, the next change waits once more.
        let _ = world.deregister(&StaleNode { name, heartbeat }).await;
    }
}

fn beats(laggards: &[StaleNode]) -> HashMap<NodeName, i64> {
    laggards.iter().map(|stale_node| (stale_node.name.clone(), stale_node.heartbeat)).collect()
}
