//! Merges concurrent look-ups of the same secret into one query.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use domain::digest::SecretHash;
use tokio::sync::OnceCell;

use super::Fence;

/// Look-ups are merged only if nothing changed between them: one that begins after a change must not get what was read
/// before it.
type Lookup = (SecretHash, Fence);

/// Above this size, abandoned look-ups are swept.
const SWEEP_THRESHOLD: usize = 1_024;

pub(super) struct SingleFlight<T>(Mutex<HashMap<Lookup, Weak<OnceCell<T>>>>);

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> SingleFlight<T> {
    /// Starts the look-up or joins the running one. If its owner is cancelled, a joined caller runs it instead.
    pub(super) async fn join(&self, hash: &SecretHash, fence: Fence, query: impl Future<Output = T>) -> T {
        let lookup = (*hash, fence);
        let cell = self.join_or_start(lookup);
        let answer = cell.get_or_init(|| query).await.clone();
        self.lock().remove(&lookup);
        answer
    }

    fn join_or_start(&self, lookup: Lookup) -> Arc<OnceCell<T>> {
        let mut lock = self.lock();
        if let Some(cell) = lock.get(&lookup).and_then(Weak::upgrade) {
            return cell;
        }
        if lock.len() >= SWEEP_THRESHOLD {
            lock.retain(|_, cell| cell.strong_count() > 0);
        }
        let cell = Arc::default();
        lock.insert(lookup, Arc::downgrade(&cell));
        cell
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Lookup, Weak<OnceCell<T>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
