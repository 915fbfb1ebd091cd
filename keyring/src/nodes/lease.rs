//! The right of a process to believe its memory.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::LEASE;
use crate::clock::Millis;

/// Held by the one owner of a file for good, by a node for as long as it renews it, and by nobody else.
#[derive(Debug, Default)]
pub(crate) struct Lease {
    until: AtomicU64,
    is_node: AtomicBool,
}

/// What may be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeaseState {
    Memory,
    /// Whoever is no node is told of no change, and asks each time.
    Database,
}

/// The node has not heard from the database for too long: it cannot know that a key is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoLease;

impl Lease {
    /// Of the one process that can change anything.
    pub(crate) fn for_good() -> Self {
        Self { until: AtomicU64::new(Millis::MAX), is_node: AtomicBool::new(false) }
    }

    /// From here on memory is all that counts, and it has to be renewed.
    pub(crate) fn become_node(&self) {
        self.is_node.store(true, Ordering::SeqCst);
    }

    /// What may be believed at an instant.
    ///
    /// # Errors
    /// When the node's lease is over.
    pub(crate) fn check(&self, now: Millis) -> Result<LeaseState, NoLease> {
        if now < self.until.load(Ordering::SeqCst) {
            Ok(LeaseState::Memory)
        } else if self.is_node.load(Ordering::SeqCst) {
            Err(NoLease)
        } else {
            Ok(LeaseState::Database)
        }
    }

    /// Goes on from the instant at which the node began to make sure of what it knows.
    pub(super) fn extend_from(&self, noted: Millis) {
        self.until.store(noted + LEASE, Ordering::SeqCst);
    }

    /// Ends at once.
    pub(crate) fn end(&self) {
        self.until.store(0, Ordering::SeqCst);
    }

    /// How long it goes on from an instant. None for those who need none.
    pub(crate) fn remaining(&self, now: Millis) -> Option<Millis> {
        let is_node = self.is_node.load(Ordering::SeqCst);
        is_node.then(|| self.until.load(Ordering::SeqCst).saturating_sub(now))
    }
}
