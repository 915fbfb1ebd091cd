//! Several nodes on one database, and the promise that holds between them: once a change that takes access away has
//! been answered, no node lets anybody in on the old terms.
//!
//! The database is the only authority. Every change that touches keys is given a revision and written to a log in the
//! same transaction. A node believes its memory only while it holds a *lease*: it notes its clock, shows the database
//! that it lives, then reads what has changed and applies it, and from the noted instant on it may go on for
//! [`LEASE`]. Whoever changes something waits until every node has applied it, or for [`PATIENCE`]: by then the lease of
//! a node that has not is over. Hints wake the nodes, so that this takes milliseconds; losing all of them costs time
//! and nothing else.
//!
//! Nothing in here knows a socket or the machine's clock. `simulation.rs` runs the same code with clocks that go at
//! different rates, messages that are late or lost, and nodes that stall in every place where they could.

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
pub(crate) use recall::{Known, LookUp, Source, find_key, look_up, recall};
pub(crate) use renewal::Node;

/// For how long a node may believe its memory, from when it began to make sure of it.
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
    /// Tells it from another change by the same number, of a database that has lost the latest changes.
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

/// What the nodes and the changes of one database tell each other, in its tables.
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

/// The clock of a process, and the only thing that it waits by.
pub(crate) trait Runtime {
    fn ticks(&self) -> Millis;

    async fn sleep(&self, millis: Millis);

    /// A place where the machine may stop the process for as long as it likes. Nothing happens here but in the
    /// simulation.
    async fn stall(&self) {}
}
