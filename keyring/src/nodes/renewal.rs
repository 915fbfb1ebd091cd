//! How a node renews its lease.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Announced, Laggard, Lease, Ledger, NodeName, Pace, Result, Revision};
use crate::memory::Memory;

/// A node, as far as it has come.
pub(crate) struct Node {
    name: NodeName,
    lease: Arc<Lease>,
    memory: Arc<Memory>,
    applied: Revision,
    /// When the change of that revision was made, once it has been read.
    made_at: Option<DateTime<Utc>>,
    /// What the ledger says of us: the revision that others know to be applied here.
    acknowledged: Option<Revision>,
}

impl Node {
    pub(crate) fn new(name: NodeName, lease: Arc<Lease>, memory: Arc<Memory>) -> Self {
        lease.become_node();
        Self { name, lease, memory, applied: Revision::default(), made_at: None, acknowledged: None }
    }

    /// Makes sure of what is in memory, and goes on believing it.
    ///
    /// # Errors
    /// When the database fails. The lease then goes on for as long as it did.
    pub(crate) async fn renew<W: Ledger + Pace>(&mut self, world: &W) -> Result<()> {
        let noted = world.ticks();
        world.stall().await;
        if self.acknowledged.is_none() || !world.beat(&self.name).await? {
            self.begin_anew(world).await?;
        }
        world.stall().await;
        // In a later statement than the one that lists us: whoever does not see us listed has changed something that
        // we see here.
        let mut changes = world.changes_from(self.applied).await?;
        if !self.has_come_to(changes.first()) {
            self.begin_anew(world).await?;
            changes = world.changes_from(self.applied).await?;
        }
        self.apply(world, &changes).await;
        world.stall().await;
        self.lease.extend_from(noted);
        world.stall().await;
        if self.acknowledged != Some(self.applied) {
            world.acknowledge(&self.name, self.applied).await?;
            self.acknowledged = Some(self.applied);
        }
        Ok(())
    }

    /// Believes nothing, and then what comes after the latest change. Nobody waits for a node that is not listed, so
    /// its lease ends before anything else.
    async fn begin_anew<W: Ledger + Pace>(&mut self, world: &W) -> Result<()> {
        self.lease.end();
        self.acknowledged = None;
        world.list(&self.name).await?;
        let latest = world.latest().await?;
        world.stall().await;
        (self.applied, self.made_at) = (latest, None);
        let fenced_off = self.memory.fence_off();
        world.stall().await;
        fenced_off.forget_everything();
        Ok(())
    }

    /// Whether the log still has the change that was applied last. A database whose standby took its place, or that was
    /// restored, may have lost it and made others by its number.
    fn has_come_to(&self, first: Option<&Announced>) -> bool {
        let Some(made_at) = self.made_at else { return true };
        first.is_some_and(|change| (change.revision, change.made_at) == (self.applied, made_at))
    }

    async fn apply(&mut self, world: &impl Pace, changes: &[Announced]) {
        for Announced { revision, made_at, touched } in changes {
            self.made_at = Some(*made_at);
            if *revision == self.applied {
                continue;
            }
            let fenced_off = self.memory.fence_off();
            world.stall().await;
            match touched {
                Some(touched) if *revision == self.applied.next() => fenced_off.forget(touched),
                // What lies between was cleared away, or is not for us to understand.
                _ => fenced_off.forget_everything(),
            }
            self.applied = *revision;
        }
    }

    /// Ends the lease and takes the node off the list, so that nobody waits for it.
    ///
    /// # Errors
    /// When the database fails; others then find out by themselves.
    pub(crate) async fn leave<W: Ledger>(&mut self, world: &W) -> Result<()> {
        self.lease.end();
        for laggard in world.behind(Revision(i64::MAX)).await? {
            if laggard.name == self.name {
                let ourselves = Laggard { name: self.name.clone(), beat: laggard.beat };
                world.unlist(&ourselves).await?;
            }
        }
        Ok(())
    }
}
