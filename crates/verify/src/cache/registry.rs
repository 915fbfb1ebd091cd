//! A registry of shared values: all users of an id get the same value for as long as any of them holds it.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{clock::Millis, usage::UsageCounter};

const REGISTRY_SHARDS: usize = 64;

/// The size at which a shard is swept for the first time.
const FIRST_SWEEP: usize = 64;

/// A value of a [`Registry`].
pub(super) trait Shared {
    /// Returns whether the value can be recreated once it is not in use.
    fn is_idle(&self, now: Millis) -> bool;
}

impl Shared for UsageCounter {
    fn is_idle(&self, now: Millis) -> bool {
        self.is_idle(now)
    }
}

pub(super) struct Registry<K, V> {
    hasher: RandomState,
    shards: [Mutex<Shard<K, V>>; REGISTRY_SHARDS],
}

struct Shard<K, V> {
    values: HashMap<K, Arc<V>>,
    /// The size at which idle values are swept.
    sweep_at: usize,
}

impl<K, V> Default for Registry<K, V> {
    fn default() -> Self {
        let shard = || Mutex::new(Shard { values: HashMap::new(), sweep_at: FIRST_SWEEP });
        Self { hasher: RandomState::new(), shards: std::array::from_fn(|_| shard()) }
    }
}

impl<K: Hash + Eq + Clone, V: Shared> Registry<K, V> {
    /// Returns the value of this id, creating it if necessary.
    pub(super) fn get_or_insert(&self, id: &K, now: Millis, make: impl FnOnce() -> V) -> Arc<V> {
        let mut shard = self.shard(id);
        shard.make_room(now);
        shard.values.entry(id.clone()).or_insert_with(|| Arc::new(make())).clone()
    }

    /// Returns the value of this id, if it exists.
    pub(super) fn find(&self, id: &K) -> Option<Arc<V>> {
        self.shard(id).values.get(id).cloned()
    }

    fn shard(&self, id: &K) -> MutexGuard<'_, Shard<K, V>> {
        let index = self.hasher.hash_one(id) % REGISTRY_SHARDS as u64;
        self.shards[index as usize].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `f` with every value.
    pub(super) fn for_each(&self, mut visit: impl FnMut(&V)) {
        for shard in &self.shards {
            shard.lock().unwrap_or_else(PoisonError::into_inner).values.values().for_each(|value| visit(value));
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap().values.len()).sum()
    }
}

impl<K: Hash + Eq, V: Shared> Shard<K, V> {
    /// Sweeps when the shard has doubled since the last sweep, so that the cost per insertion is constant.
    fn make_room(&mut self, now: Millis) {
        if self.values.len() >= self.sweep_at {
            // The shard is locked, so no other thread can obtain one now.
            self.values.retain(|_, value| Arc::strong_count(value) > 1 || !value.is_idle(now));
            self.sweep_at = (self.values.len() * 2).max(FIRST_SWEEP);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[derive(Default)]
    struct Thing(AtomicBool);

    impl Shared for Thing {
        fn is_idle(&self, _: Millis) -> bool {
            !self.0.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn only_unused_entries_are_swept() {
        let registry = Registry::<u32, Thing>::default();
        let held = registry.get_or_insert(&1, 0, Thing::default);
        registry.get_or_insert(&2, 0, Thing::default).0.store(true, Ordering::Relaxed);
        for id in 3..100_000 {
            registry.get_or_insert(&id, 0, Thing::default);
        }
        assert!(registry.len() < 20_000, "{} are still there", registry.len());
        assert!(Arc::ptr_eq(&held, &registry.get_or_insert(&1, 0, Thing::default)));
        assert!(!registry.find(&2).expect("it is busy").is_idle(0));
    }
}
