//! One question for many who ask the same at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use tokio::sync::OnceCell;

use super::Fence;
use crate::secret::SecretHash;

/// A question is the same only when nothing changed between its askers: whoever comes after a change must not be
/// given what was read before it.
type Question = (SecretHash, Fence);

/// Above this many, those that everybody left before the answer came are swept out.
const MANY: usize = 1_024;

pub(super) struct Flights<T>(Mutex<HashMap<Question, Weak<OnceCell<T>>>>);

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Flights<T> {
    /// Asks, or waits for whoever asked first. Should they go away before the answer comes, somebody else asks.
    pub(super) async fn join(&self, hash: &SecretHash, fence: Fence, ask: impl Future<Output = T>) -> T {
        let question = (*hash, fence);
        let flight = self.board(question);
        let answer = flight.get_or_init(|| ask).await.clone();
        self.open().remove(&question);
        answer
    }

    fn board(&self, question: Question) -> Arc<OnceCell<T>> {
        let mut open = self.open();
        if let Some(flight) = open.get(&question).and_then(Weak::upgrade) {
            return flight;
        }
        if open.len() >= MANY {
            open.retain(|_, flight| flight.strong_count() > 0);
        }
        let flight = Arc::default();
        open.insert(question, Arc::downgrade(&flight));
        flight
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Question, Weak<OnceCell<T>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
