//! The confirmation times of changes, for the metrics.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// The times that recent changes took until all nodes confirmed them, kept until they are collected.
#[derive(Debug, Default)]
pub(crate) struct Confirmations(Mutex<Vec<Duration>>);

/// If they are never collected, later ones are dropped.
const MAX_CONFIRMATIONS: usize = 10_000;

impl Confirmations {
    pub(crate) fn record(&self, took: Duration) {
        let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if recorded.len() < MAX_CONFIRMATIONS {
            recorded.push(took);
        }
    }

    pub(crate) fn collect(&self) -> Vec<Duration> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
