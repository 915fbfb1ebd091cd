//! Generations: how cached values notice that something they depend on has changed.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Changes whenever the thing that it stands for changes.
#[derive(Debug, Default)]
pub struct Generation(AtomicU64);

impl Generation {
    pub fn bump(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    fn current(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// A value that can change, with its generation.
pub trait HasGeneration {
    fn generation(&self) -> &Generation;
}

/// A value that something depends on, with its generation at that time.
#[derive(Debug)]
pub struct Versioned<T> {
    pub value: Arc<T>,
    generation: u64,
}

impl<T> Clone for Versioned<T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), generation: self.generation }
    }
}

impl<T: HasGeneration> Versioned<T> {
    pub fn new(value: Arc<T>) -> Self {
        Self { generation: value.generation().current(), value }
    }

    pub fn is_current(&self) -> bool {
        self.value.generation().current() == self.generation
    }
}
