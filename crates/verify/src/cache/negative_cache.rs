//! A short-lived cache of unknown secrets: a client that repeats one does not cause a query each time.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::digest::SecretHash;

use crate::clock::Millis;

const NEGATIVE_CACHE_TTL: Millis = 1_000;

const NEGATIVE_CACHE_SHARDS: usize = 16;
/// Unauthenticated clients choose its entries, so it is small: a full shard is cleared.
const MAX_PER_SHARD: usize = 512;

#[derive(Default)]
pub(super) struct NegativeCache([Mutex<HashMap<SecretHash, Millis>>; NEGATIVE_CACHE_SHARDS]);

impl NegativeCache {
    pub(super) fn is_known(&self, hash: &SecretHash, now: Millis) -> bool {
        self.shard(hash).get(hash).is_some_and(|until| now < *until)
    }

    pub(super) fn keep(&self, hash: &SecretHash, now: Millis) {
        let mut shard = self.shard(hash);
        if shard.len() >= MAX_PER_SHARD {
            shard.clear();
        }
        shard.insert(*hash, now + NEGATIVE_CACHE_TTL);
    }

    pub(super) fn clear(&self) {
        for shard in &self.0 {
            shard.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    fn shard(&self, hash: &SecretHash) -> MutexGuard<'_, HashMap<SecretHash, Millis>> {
        let place = hash.spread() % NEGATIVE_CACHE_SHARDS as u64;
        self.0[place as usize].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misses_expire_and_are_bounded() {
        let absent = NegativeCache::default();
        let hash = SecretHash::of("lk_tk_nothing");
        assert!(!absent.is_known(&hash, 5));
        absent.keep(&hash, 5);
        assert!(absent.is_known(&hash, 1_004));
        assert!(!absent.is_known(&hash, 1_005));
        for number in 0..100_000 {
            absent.keep(&SecretHash::of(&number.to_string()), 5);
        }
        let kept: usize = absent.0.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert!(kept <= NEGATIVE_CACHE_SHARDS * MAX_PER_SHARD);
        absent.clear();
        assert!(!absent.is_known(&hash, 6));
    }
}
