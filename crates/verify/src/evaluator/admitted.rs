//! The state that a caller was admitted under, so that a write can check it again once it holds its locks.

use std::sync::Arc;

use super::Evaluator;
use crate::cache::{CachedKey, PersonDependencies};

/// The state that the admission of a caller depends on.
#[derive(Clone)]
pub enum AdmittedState {
    Key(Arc<CachedKey>),
    /// `None` if something changed while the person was looked up.
    Person(Option<PersonDependencies>),
}

impl Evaluator {
    /// Returns whether nothing has changed that a caller was admitted under, and this node may still use its cache.
    ///
    /// It reads memory alone, so that a write can ask while it holds its locks. If it is false, evaluate the caller once
    /// more: the change need not concern them.
    #[must_use]
    pub fn is_still_admitted(&self, state: &AdmittedState) -> bool {
        if self.lease.check(self.clock.ticks()).is_err() {
            return false;
        }
        match state {
            AdmittedState::Key(key) => key.is_current() && key.check_active(self.database_time()).is_ok(),
            AdmittedState::Person(dependencies) => dependencies.as_ref().is_some_and(PersonDependencies::are_current),
        }
    }
}
