//! What keys are used for. Counted in memory and written behind in batches: an answer never waits for it.
//!
//! Counts are exact, and kept with the key that they are about, so that no lock is shared by all. The log of single
//! calls holds as many as there is room for (`usage/log_room.rs`). What a crash can lose is what came since the last
//! batch.

use std::{
    borrow::Cow,
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arrayvec::ArrayString;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    id::{KeyId, PersonId, SecretId},
    usage::{LOG_DAYS, LegacyMethod},
    verdict::Verdict,
};

use crate::{
    CachedKey, Keyring,
    error::Error,
    memory::{UsageCounter, UsageDelta},
    store::{self, within},
};

mod log_room;

use log_room::LogRoom;
pub(crate) use log_room::{KeyLog, TenantLog};

/// How many logged calls wait at most while the database is gone: those of twenty batches.
const MAX_WAITING_CALLS: usize = 100_000;

/// For how long the counts by the hour are kept.
const COUNTS_KEPT: TimeDelta = TimeDelta::days(400);

const LISTS: usize = 16;

/// One call with a key, valid or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    pub at: DateTime<Utc>,
    pub verdict: Verdict,
    /// None if a verifier did not pass the client's address.
    pub address: Option<IpAddr>,
}

/// The longest request id that is stored with a call.
pub const MAX_REQUEST_ID_BYTES: usize = 64;

/// How a key was used, for the log of single calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallDetails {
    pub request_id: ArrayString<MAX_REQUEST_ID_BYTES>,
    pub method: &'static str,
    /// The route as the program knows it, not as it was asked for: that could hold anything.
    pub route: Cow<'static, str>,
    pub status: u16,
    /// From the request's arrival until its answer was ready.
    pub duration: Duration,
}

/// A line of the log.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) key: KeyId,
    /// None for what the demo makes up.
    pub(crate) secret_id: Option<SecretId>,
    pub(crate) used: Use,
    pub(crate) details: CallDetails,
}

/// When a key was last used with success, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LastUse {
    pub(crate) at: DateTime<Utc>,
    pub(crate) address: Option<IpAddr>,
}

/// How often a person came by an old way, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LegacyCount {
    pub(crate) first: DateTime<Utc>,
    pub(crate) last: DateTime<Utc>,
    pub(crate) count: i64,
}

impl LegacyCount {
    fn and(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last), count: self.count + other.count }
    }
}

/// Keys and calls per batch, so that other writers get their turn.
const BATCH_SIZE: usize = 2_000;

/// What is written in one transaction.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) keys: Vec<(Arc<UsageCounter>, UsageDelta)>,
    pub(crate) calls: Vec<Call>,
    pub(crate) legacy: HashMap<(PersonId, LegacyMethod), LegacyCount>,
}

impl Batch {
    /// The calls of one key, which all of them are of.
    pub(crate) fn of(key: &KeyId, calls: Vec<Call>) -> Self {
        let counter = Arc::new(UsageCounter::new(key));
        for Call { used, .. } in &calls {
            counter.count(used.verdict, LastUse { at: used.at, address: used.address }, |_| true);
        }
        let delta = counter.collect();
        Self { keys: vec![(counter, delta)], calls, legacy: HashMap::new() }
    }

    fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.calls.is_empty() && self.legacy.is_empty()
    }

    /// Takes a batch from the front: counts first, so that no call is logged before it is counted.
    fn take_batch(&mut self) -> Self {
        let keys = take_front(&mut self.keys);
        let calls = if self.keys.is_empty() { take_front(&mut self.calls) } else { Vec::new() };
        Self { keys, calls, legacy: std::mem::take(&mut self.legacy) }
    }
}

fn take_front<T>(things: &mut Vec<T>) -> Vec<T> {
    let rest = things.split_off(things.len().min(BATCH_SIZE));
    std::mem::replace(things, rest)
}

/// Where uses wait to be written.
#[derive(Default)]
pub(crate) struct Usage {
    /// The keys that were used since the last batch, each once.
    used: [Mutex<Vec<Arc<UsageCounter>>>; LISTS],
    log: Mutex<Vec<Call>>,
    log_room: LogRoom,
    legacy: Mutex<HashMap<(PersonId, LegacyMethod), LegacyCount>>,
    /// One batch is written at a time, so that a caller that gets the lock knows that the previous one is written.
    writing: tokio::sync::Mutex<()>,
}

fn lock<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Usage {
    fn record(
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

    fn mark_used(&self, counter: &Arc<UsageCounter>) {
        // Any shard would do. The address in memory gives a key the same one each time, and spreads keys evenly.
        let place = Arc::as_ptr(counter).addr() / size_of::<UsageCounter>() % LISTS;
        lock(&self.used[place]).push(counter.clone());
    }

    pub(crate) fn count_legacy(&self, person: &PersonId, method: LegacyMethod, now: DateTime<Utc>) {
        self.add_legacy((person.clone(), method), LegacyCount { first: now, last: now, count: 1 });
    }

    fn add_legacy(&self, who: (PersonId, LegacyMethod), more: LegacyCount) {
        lock(&self.legacy).entry(who).and_modify(|known| *known = known.and(more)).or_insert(more);
    }

    fn collect(&self) -> Batch {
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

    /// Takes back what could not be written, the older calls first.
    fn put_back(&self, unwritten: Batch) {
        for (counter, delta) in unwritten.keys {
            if counter.put_back(delta) {
                self.mark_used(&counter);
            }
        }
        for (who, count) in unwritten.legacy {
            self.add_legacy(who, count);
        }
        let mut log = lock(&self.log);
        let mut calls = unwritten.calls;
        calls.append(&mut log);
        calls.truncate(MAX_WAITING_CALLS);
        *log = calls;
    }
}

/// What is written behind is written by one task, which would never write again if it waited for a connection that has
/// died without a word.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

impl Keyring {
    /// Notes that a key was used. It is written with the next batch; the details only where there is room in the log.
    pub fn record(&self, key: &CachedKey, used: Use, details: impl FnOnce() -> CallDetails) {
        self.usage.record(key.dependencies.counter(), key.dependencies.tenant_log(), &key.secret_id, used, details);
    }

    /// How many single calls wait to be written.
    #[must_use]
    pub fn usage_pending(&self) -> usize {
        lock(&self.usage.log).len()
    }

    /// Writes what waits, piece by piece, and answers of how many keys it was. What could not be written waits for the
    /// next time.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn write_usage(&self) -> Result<u32, Error> {
        let _turn = self.usage.writing.lock().await;
        let mut rest = self.usage.collect();
        let keys = u32::try_from(rest.keys.len()).unwrap_or(u32::MAX);
        while !rest.is_empty() {
            let piece = rest.take_batch();
            if let Err(error) = within(WRITE_TIMEOUT, store::usage::write(&self.database, &piece)).await {
                self.usage.put_back(rest);
                self.usage.put_back(piece);
                return Err(error.into());
            }
        }
        Ok(keys)
    }

    /// Throws away what has been kept for long enough.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn clear_old_usage(&self) -> Result<(), Error> {
        let (database, now) = (&self.database, self.now());
        while within(WRITE_TIMEOUT, store::usage::delete_calls_before(database, now - TimeDelta::days(LOG_DAYS)))
            .await?
            > 0
        {}
        while within(WRITE_TIMEOUT, store::usage::delete_hours_before(database, now - COUNTS_KEPT)).await? > 0 {}
        Ok(within(WRITE_TIMEOUT, store::nodes::clear_log(database)).await?)
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, thread};

    use domain::id::Id;

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
