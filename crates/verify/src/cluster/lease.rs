//! The right of a process to use its cache.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::LEASE;
use crate::clock::Millis;

/// The owner of a SQLite file holds it permanently, and a node for as long as it renews it.
#[derive(Debug, Default)]
pub struct Lease {
    until: AtomicU64,
    is_node: AtomicBool,
}

/// The state of the lease: whether the cache may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseState {
    Cache,
    /// A process outside the cluster hears of no changes, and queries the database each time.
    Database,
}

/// The node has not reached the database for too long: it cannot know whether a key is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoLease;

impl Lease {
    /// The lease of a process that owns its database.
    pub fn permanent() -> Self {
        Self { until: AtomicU64::new(Millis::MAX), is_node: AtomicBool::new(false) }
    }

    /// Makes the process a node, which uses its cache only, and only while it renews its lease.
    pub fn become_node(&self) {
        self.is_node.store(true, Ordering::SeqCst);
    }

    /// Returns whether the cache may be used at an instant.
    ///
    /// # Errors
    /// If the node's lease has expired.
    pub fn check(&self, now: Millis) -> Result<LeaseState, NoLease> {
        if now < self.until.load(Ordering::SeqCst) {
            Ok(LeaseState::Cache)
        } else if self.is_node.load(Ordering::SeqCst) {
            Err(NoLease)
        } else {
            Ok(LeaseState::Database)
        }
    }

    /// Extends the lease from the instant at which the renewal began.
    pub(super) fn extend_from(&self, noted: Millis) {
        self.until.store(noted + LEASE, Ordering::SeqCst);
    }

    /// Ends the lease immediately.
    pub fn end(&self) {
        self.until.store(0, Ordering::SeqCst);
    }

    /// Returns how long it lasts from an instant; none for a process that needs no lease.
    pub fn remaining(&self, now: Millis) -> Option<Millis> {
        let is_node = self.is_node.load(Ordering::SeqCst);
        is_node.then(|| self.until.load(Ordering::SeqCst).saturating_sub(now))
    }
}
