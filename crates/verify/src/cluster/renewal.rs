//! The renewal of a node's lease.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::cluster::{ChangeRecord, NodeName, Revision, StaleNode};

use super::{ClusterStore, Lease};
use crate::{cache::KeyCache, clock::Runtime};

/// A node, and which changes it has applied.
pub struct Node {
    name: NodeName,
    lease: Arc<Lease>,
    cache: Arc<KeyCache>,
    applied: Revision,
    /// The time of that change, once it has been read.
    made_at: Option<DateTime<Utc>>,
    /// The revision that other nodes know to be applied here.
    acknowledged: Option<Revision>,
}

impl Node {
    pub fn new(name: NodeName, lease: Arc<Lease>, cache: Arc<KeyCache>) -> Self {
        lease.become_node();
        Self { name, lease, cache, applied: Revision::default(), made_at: None, acknowledged: None }
    }

    /// Renews the lease: applies new changes to the cache and continues to use it.
    ///
    /// # Errors
    /// If the database fails. The lease is then not extended.
    pub async fn renew<W: ClusterStore + Runtime>(&mut self, world: &W) -> Result<(), W::Error> {
        let noted = world.ticks();
        world.stall().await;
        if self.acknowledged.is_none() || !world.heartbeat(&self.name).await? {
            self.resync(world).await?;
        }
        world.stall().await;
        // In a later statement than the one that registers this node: a change that does not see the node registered is
        // visible here.
        let mut changes = world.changes_from(self.applied).await?;
        if !self.contains_applied(changes.first()) {
            self.resync(world).await?;
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

    /// Clears the cache and starts after the latest change. Changes do not wait for a node that is not registered, so
    /// the lease ends first.
    async fn resync<W: ClusterStore + Runtime>(&mut self, world: &W) -> Result<(), W::Error> {
        self.lease.end();
        self.acknowledged = None;
        world.register(&self.name).await?;
        let latest = world.latest().await?;
        world.stall().await;
        (self.applied, self.made_at) = (latest, None);
        let raised_fence = self.cache.raise_fence();
        world.stall().await;
        raised_fence.clear();
        Ok(())
    }

    /// Returns whether the log still contains the last applied change. A database that failed over or was restored may
    /// have lost it and given its number to another change.
    fn contains_applied(&self, first: Option<&ChangeRecord>) -> bool {
        let Some(made_at) = self.made_at else { return true };
        first.is_some_and(|change| (change.revision, change.made_at) == (self.applied, made_at))
    }

    async fn apply(&mut self, world: &impl Runtime, changes: &[ChangeRecord]) {
        for ChangeRecord { revision, made_at, touched } in changes {
            self.made_at = Some(*made_at);
            if *revision == self.applied {
                continue;
            }
            let raised_fence = self.cache.raise_fence();
            world.stall().await;
            match touched {
                Some(touched) if *revision == self.applied.next() => raised_fence.invalidate(touched),
                // Changes in between were deleted from the log, or this version does not know them.
                _ => raised_fence.clear(),
            }
            self.applied = *revision;
        }
    }

    /// Ends the lease and deregisters the node, so that changes do not wait for it.
    ///
    /// # Errors
    /// If the database fails; other nodes find out when the lease expires.
    pub async fn leave<W: ClusterStore>(&mut self, world: &W) -> Result<(), W::Error> {
        self.lease.end();
        for stale_node in world.behind(Revision(i64::MAX)).await? {
            if stale_node.name == self.name {
                let ourselves = StaleNode { name: self.name.clone(), heartbeat: stale_node.heartbeat };
                world.deregister(&ourselves).await?;
            }
        }
        Ok(())
    }
}
