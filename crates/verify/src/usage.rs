//! Usage of keys: counted in memory and written in batches, so that no response waits for it.
//!
//! Counts are exact, and kept with their key, so that no lock is shared by all. The log of single calls has limited
//! room (`usage/log_room.rs`). A crash loses at most what came since the last batch.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use domain::{
    id::{KeyId, PersonId, SecretId},
    usage::LegacyMethod,
    usage_record::{Call, CallDetails, LastUse, LegacyCount, UsageDelta, Use},
};

mod counter;
mod log_room;

pub use counter::UsageCounter;
pub use log_room::TenantLog;
use log_room::{KeyLog, LogRoom};

/// The maximum number of logged calls that wait while the database is unreachable.
const MAX_WAITING_CALLS: usize = 100_000;

const SHARDS_OF_USED_KEYS: usize = 16;

/// Keys and calls per batch, so that other writers get their turn.
const BATCH_SIZE: usize = 2_000;

/// The usage that is written in one transaction.
#[derive(Debug, Default)]
pub struct Batch {
    pub keys: Vec<(Arc<UsageCounter>, UsageDelta)>,
    pub calls: Vec<Call>,
    pub legacy: HashMap<(PersonId, LegacyMethod), LegacyCount>,
}

impl Batch {
    /// Returns a batch of calls with one key.
    pub fn of(key: &KeyId, calls: Vec<Call>) -> Self {
        let counter = Arc::new(UsageCounter::new(key));
        for Call { used, .. } in &calls {
            counter.count(used.verdict, LastUse { at: used.at, address: used.address }, |_| true);
        }
        let delta = counter.collect();
        Self { keys: vec![(counter, delta)], calls, legacy: HashMap::new() }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.calls.is_empty() && self.legacy.is_empty()
    }

    /// Takes a batch from the front: counts first, so that no call is logged before it is counted.
    #[must_use]
    pub fn take_batch(&mut self) -> Self {
        let keys = take_front(&mut self.keys);
        let calls = if self.keys.is_empty() { take_front(&mut self.calls) } else { Vec::new() };
        Self { keys, calls, legacy: std::mem::take(&mut self.legacy) }
    }
}

fn take_front<T>(things: &mut Vec<T>) -> Vec<T> {
    let rest = things.split_off(things.len().min(BATCH_SIZE));
    std::mem::replace(things, rest)
}

/// Usage that has not been written yet.
#[derive(Default)]
pub struct Usage {
    /// The keys that were used since the last batch, each once.
    used: [Mutex<Vec<Arc<UsageCounter>>>; SHARDS_OF_USED_KEYS],
    log: Mutex<Vec<Call>>,
    log_room: LogRoom,
    legacy: Mutex<HashMap<(PersonId, LegacyMethod), LegacyCount>>,
}

fn lock<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Usage {
    /// Records a call. `details` is called only if the log has room for it.
    pub fn record(
        &self,
        counter: &Arc<UsageCounter>,
        tenant: &TenantLog,
        secret_id: &SecretId,
        used: Use,
        details: impl FnOnce() -> CallDetails,
    ) {
        let Use { at, verdict, address } = used;
        let take_room = |key: &mut KeyLog| self.log_room.take(tenant, key, verdict, at);
        let counted = counter.count(verdict, LastUse { at, address }, take_room);
        if counted.is_first {
            self.mark_used(counter);
        }
        if counted.is_logged {
            let call = Call { key: counter.key.clone(), secret_id: Some(secret_id.clone()), used, details: details() };
            lock(&self.log).push(call);
        }
    }

    /// Returns the number of logged calls that have not been written yet.
    #[must_use]
    pub fn pending_calls(&self) -> usize {
        lock(&self.log).len()
    }

    fn mark_used(&self, counter: &Arc<UsageCounter>) {
        // Any shard would do. The address in memory gives a key the same one each time, and spreads keys evenly.
        let shard = Arc::as_ptr(counter).addr() / size_of::<UsageCounter>() % SHARDS_OF_USED_KEYS;
        lock(&self.used[shard]).push(counter.clone());
    }

    /// Counts a call with legacy authentication.
    pub fn count_legacy(&self, person: &PersonId, method: LegacyMethod, now: DateTime<Utc>) {
        self.add_legacy((person.clone(), method), LegacyCount { first: now, last: now, count: 1 });
    }

    fn add_legacy(&self, key: (PersonId, LegacyMethod), more: LegacyCount) {
        lock(&self.legacy).entry(key).and_modify(|known| *known = known.and(more)).or_insert(more);
    }

    /// Takes everything that has not been written yet.
    pub fn collect(&self) -> Batch {
        // Calls are counted before they are logged. Collecting in the reverse order ensures that none is logged before
        // it is counted.
        let calls = std::mem::take(&mut *lock(&self.log));
        self.log_room.begin_batch();
        let used = self.used.iter().flat_map(|list| std::mem::take(&mut *lock(list)));
        let keys = used.map(|counter| {
            let delta = counter.collect();
            (counter, delta)
        });
        let mut keys: Vec<(Arc<UsageCounter>, UsageDelta)> = keys.collect();
        keys.sort_by(|(one, _), (other, _)| one.key.cmp(&other.key));
        Batch { keys, calls, legacy: std::mem::take(&mut *lock(&self.legacy)) }
    }

    /// Puts back what could not be written, the older calls first.
    pub fn put_back(&self, unwritten: Batch) {
        for (counter, delta) in unwritten.keys {
            if counter.put_back(delta) {
                self.mark_used(&counter);
            }
        }
        for (key, count) in unwritten.legacy {
            self.add_legacy(key, count);
        }
        let mut log = lock(&self.log);
        let mut calls = unwritten.calls;
        calls.append(&mut log);
        calls.truncate(MAX_WAITING_CALLS);
        *log = calls;
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, thread};

    use domain::id::Id;

    use domain::verdict::Verdict;

    use super::*;

    fn counter(number: usize) -> Arc<UsageCounter> {
        Arc::new(UsageCounter::new(&KeyId::parse(&format!("key_{number:026}")).unwrap()))
    }

    fn used() -> Use {
        Use { at: Utc::now(), verdict: Verdict::Valid, address: Some(Ipv4Addr::LOCALHOST.into()) }
    }

    fn secret_id() -> SecretId {
        SecretId::parse(&format!("sec_{:026}", 0)).unwrap()
    }

    fn details() -> CallDetails {
        CallDetails { method: "GET", route: "/key".into(), status: 200, ..CallDetails::default() }
    }

    #[test]
    fn call_is_logged_in_the_last_batch_that_counts_it_or_later() {
        let usage = Usage::default();
        for number in 0..=BATCH_SIZE {
            usage.record(&counter(number), &TenantLog::default(), &secret_id(), used(), details);
        }
        let mut batch = usage.collect();
        let pieces = std::iter::from_fn(|| (!batch.is_empty()).then(|| batch.take_batch()));
        let sizes: Vec<_> = pieces.map(|piece| (piece.keys.len(), piece.calls.len())).collect();
        assert_eq!(sizes, [(BATCH_SIZE, 0), (1, BATCH_SIZE), (0, 1)]);
    }

    #[test]
    fn no_call_is_logged_before_it_is_counted() {
        let (usage, counter, tenant, secret_id, used) =
            (Usage::default(), counter(0), TenantLog::default(), secret_id(), used());
        let (mut counted, mut told) = (0, 0);
        thread::scope(|scope| {
            let calling =
                scope.spawn(|| (0..200_000).for_each(|_| usage.record(&counter, &tenant, &secret_id, used, details)));
            while !calling.is_finished() {
                let batch = usage.collect();
                counted += batch.keys.iter().flat_map(|(_, delta)| &delta.hours).map(|(.., count)| count).sum::<i64>();
                told += batch.calls.len() as i64;
                assert!(told <= counted, "{told} calls are told of, and {counted} counted");
            }
        });
    }
}
