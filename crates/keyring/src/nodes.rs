//! The cluster protocol. Once a change that removes access has returned, no node accepts what it removed.
//!
//! The database is the only authority. Every change that affects keys gets a revision and is written to a log in the
//! same transaction. A node may use its cache only while it holds a *lease*: it reads its clock, writes a heartbeat to
//! the database, reads and applies new changes, and may then continue for [`LEASE`] from the reading of the clock. A
//! change waits until every node has applied it, or for [`PATIENCE`], after which the lease of any node that has not
//! has expired. Notifications wake the nodes, so that this takes milliseconds; losing all of them costs time and
//! nothing else.
//!
//! Nothing in this module uses a socket or the machine's clock. `simulation.rs` runs the same code with drifting
//! clocks, delayed and lost messages, and nodes that stall at every point where they could.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::{clock::Millis, memory::Invalidation, store::StoreError};

mod confirmation;
mod lease;
mod recall;
mod renewal;
#[cfg(test)]
mod simulation;

pub(crate) use confirmation::await_acknowledgements;
pub(crate) use lease::{Lease, LeaseState, NoLease};
pub(crate) use recall::{CacheLookup, LookUp, Source, find_key, look_up, recall};
pub(crate) use renewal::Node;

/// How long a node may use its cache, from the start of the renewal.
pub(crate) const LEASE: Millis = 1_800;

/// For how long a change waits for a node that does not answer. Longer than a lease by more than two clocks differ.
pub(crate) const PATIENCE: Millis = 2_000;

/// The number of a change: one more than that of the change before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Revision(pub(crate) i64);

impl Revision {
    fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// What a node is called. It takes a new name each time that it starts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeName(pub(crate) String);

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A change as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChangeRecord {
    pub(crate) revision: Revision,
    /// Distinguishes changes of the same number after the database has lost its latest changes.
    pub(crate) made_at: DateTime<Utc>,
    /// None for something that this program does not know: then everything is forgotten.
    pub(crate) touched: Option<Invalidation>,
}

/// A node that has not applied a revision yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StaleNode {
    pub(crate) name: NodeName,
    /// How often it has shown that it lives.
    pub(crate) heartbeat: i64,
}

type Result<T> = std::result::Result<T, StoreError>;

/// The cluster's tables in the database.
pub(crate) trait ClusterStore {
    /// Shows that a node lives. False when it is not listed any more.
    async fn heartbeat(&self, node: &NodeName) -> Result<bool>;

    /// Lists a node, which has applied nothing yet.
    async fn register(&self, node: &NodeName) -> Result<()>;

    /// Takes a node off the list, if it has not beaten again since.
    async fn deregister(&self, stale_node: &StaleNode) -> Result<()>;

    /// The revision of the latest change.
    async fn latest(&self) -> Result<Revision>;

    /// The change of a revision, and those after it, in order.
    async fn changes_from(&self, revision: Revision) -> Result<Vec<ChangeRecord>>;

    /// Says what a node has applied.
    async fn acknowledge(&self, node: &NodeName, applied: Revision) -> Result<()>;

    /// The listed nodes that have yet to apply a revision.
    async fn behind(&self, revision: Revision) -> Result<Vec<StaleNode>>;
}

/// The clock of a process, and the only source of waiting.
pub(crate) trait Runtime {
    fn ticks(&self) -> Millis;

    async fn sleep(&self, millis: Millis);

    /// A point where the machine may pause the process. Does nothing outside the simulation.
    async fn stall(&self) {}
}
