//! The cluster's tables, as the protocol in `verify` uses them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::cluster::{ChangeRecord, NodeName, Revision, StaleNode};
use store::{StoreError, cluster::Tables};
use verify::{Clock, ClusterStore, Millis, Runtime};

/// The tables, with the clock of this machine.
pub(crate) struct ClusterTables<'a> {
    tables: Tables<'a>,
    clock: &'a Clock,
}

impl<'a> ClusterTables<'a> {
    pub(crate) fn new(tables: Tables<'a>, clock: &'a Clock) -> Self {
        Self { tables, clock }
    }

    /// Returns the time by the database's clock.
    pub(crate) async fn time(&self) -> Result<DateTime<Utc>, StoreError> {
        self.tables.time().await
    }
}

impl ClusterStore for ClusterTables<'_> {
    type Error = StoreError;

    async fn heartbeat(&self, node: &NodeName) -> Result<bool, StoreError> {
        self.tables.heartbeat(node).await
    }

    async fn register(&self, node: &NodeName) -> Result<(), StoreError> {
        self.tables.register(node).await
    }

    async fn deregister(&self, stale_node: &StaleNode) -> Result<(), StoreError> {
        self.tables.deregister(stale_node).await
    }

    async fn latest(&self) -> Result<Revision, StoreError> {
        self.tables.latest().await
    }

    async fn changes_from(&self, revision: Revision) -> Result<Vec<ChangeRecord>, StoreError> {
        self.tables.changes_from(revision).await
    }

    async fn acknowledge(&self, node: &NodeName, applied: Revision) -> Result<(), StoreError> {
        self.tables.acknowledge(node, applied).await
    }

    async fn behind(&self, revision: Revision) -> Result<Vec<StaleNode>, StoreError> {
        self.tables.behind(revision).await
    }
}

impl Runtime for ClusterTables<'_> {
    fn ticks(&self) -> Millis {
        self.clock.ticks()
    }

    async fn sleep(&self, millis: Millis) {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}
