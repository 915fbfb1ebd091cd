//! Marks: how what is in memory learns that something it was made of has changed.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Changes whenever the thing that it stands for changes.
#[derive(Debug, Default)]
pub(crate) struct Generation(AtomicU64);

impl Generation {
    pub(super) fn bump(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    fn place(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// A value that can change, with its generation.
pub(crate) trait HasGeneration {
    fn generation(&self) -> &Generation;
}

/// Something that was relied on, with where its mark was then.
#[derive(Debug)]
pub(crate) struct Versioned<T> {
    pub(super) on: Arc<T>,
    place: u64,
}

impl<T> Clone for Versioned<T> {
    fn clone(&self) -> Self {
        Self { on: self.on.clone(), place: self.place }
    }
}

impl<T: HasGeneration> Versioned<T> {
    pub(super) fn on(thing: Arc<T>) -> Self {
        Self { place: thing.generation().place(), on: thing }
    }

    pub(crate) fn is_current(&self) -> bool {
        self.on.generation().place() == self.place
    }
}
