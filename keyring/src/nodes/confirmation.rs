//! How a change makes sure that nobody goes on by the old terms.

use std::collections::HashMap;

use super::{Laggard, Ledger, NodeName, PATIENCE, Pace, Revision};
use crate::clock::Millis;

/// How long to wait before looking again, at first and at most.
const FIRST_PAUSE: Millis = 1;
const LONGEST_PAUSE: Millis = 25;

/// Waits until every node has applied a revision that is committed, or can have no lease any more. The
/// nodes that did not answer are taken off the list: the next change need not wait for them.
pub(crate) async fn confirm<W: Ledger + Pace>(world: &W, revision: Revision) {
    let mut first_seen: Option<(Millis, HashMap<NodeName, i64>)> = None;
    let mut pause = FIRST_PAUSE;
    loop {
        // A database that fails now cannot be asked; then only time makes sure.
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
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    for (name, beat) in first_seen.map(|(_, beats)| beats).unwrap_or_default() {
        // Whoever has beaten since then lives, and is left alone. Should it fail, the next change waits once more.
        let _ = world.unlist(&Laggard { name, beat }).await;
    }
}

fn beats(laggards: &[Laggard]) -> HashMap<NodeName, i64> {
    laggards.iter().map(|laggard| (laggard.name.clone(), laggard.beat)).collect()
}
