//! The cluster protocol. Once a change that removes access has returned, no node accepts what it removed.
//!
//! The database is the only authority. Every change that affects keys gets a revision and is written to a log in the
//! same transaction. A node may use its cache only while it holds a *lease*: it reads its clock, writes a heartbeat to
//! the database, reads and applies new changes, and may then continue for [`LEASE`] from the reading of the clock. A
//! change waits until every node has applied it, or for [`CHANGE_TIMEOUT`], after which the lease of any node that has not
//! has expired. Notifications wake the nodes, so that this takes milliseconds; losing all of them costs time and
//! nothing else.
//!
//! Nothing in this module uses a socket or the machine's clock. `simulation.rs` runs the same code with drifting
//! clocks, delayed and lost messages, and nodes that stall at every point where they could.

use domain::cluster::{ChangeRecord, NodeName, Revision, StaleNode};

use crate::clock::Millis;

mod confirmation;
mod lease;
mod renewal;

pub use confirmation::await_acknowledgements;
pub use lease::{Lease, LeaseState, NoLease};
pub use renewal::Node;

/// The time for which a node may use its cache, counted from the start of the renewal.
pub const LEASE: Millis = 1_800;

/// The time for which a change waits for an unresponsive node. It exceeds a lease by more than two clocks can drift
/// apart during it.
pub const CHANGE_TIMEOUT: Millis = 2_000;

/// The cluster's tables in the database.
#[expect(
    async_fn_in_trait,
    reason = "the simulation's futures are not Send, and every other use is checked where it is spawned"
)]
pub trait ClusterStore {
    type Error;

    /// Records that a node is alive. Returns false if it is not registered any more.
    async fn heartbeat(&self, node: &NodeName) -> Result<bool, Self::Error>;

    /// Registers a node, which has not applied any change yet.
    async fn register(&self, node: &NodeName) -> Result<(), Self::Error>;

    /// Deregisters a node, unless it has sent another heartbeat.
    async fn deregister(&self, stale_node: &StaleNode) -> Result<(), Self::Error>;

    /// Returns the revision of the latest change.
    async fn latest(&self) -> Result<Revision, Self::Error>;

    /// Returns the change of a revision and all later ones, in order.
    async fn changes_from(&self, revision: Revision) -> Result<Vec<ChangeRecord>, Self::Error>;

    /// Records that a node has applied a revision.
    async fn acknowledge(&self, node: &NodeName, applied: Revision) -> Result<(), Self::Error>;

    /// Returns the registered nodes that have not applied a revision yet.
    async fn behind(&self, revision: Revision) -> Result<Vec<StaleNode>, Self::Error>;
}
