//! Writes the usage that `verify` counts, and deletes what is too old.

use std::{collections::HashMap, time::Duration};

use chrono::TimeDelta;
use domain::{
    id::{KeyId, PersonId},
    usage::{LOG_DAYS, LegacyMethod},
    usage_record::{Call, CallDetails, LegacyCount, Use},
};
use store::within;
use verify::{CachedKey, usage::Batch};

use crate::{Keyring, error::Error};

/// The retention of the hourly counts.
const COUNTS_KEPT: TimeDelta = TimeDelta::days(400);

/// All usage is written by one task, which would stop for good if it waited for a silently dead connection.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

impl Keyring {
    /// Records a call with a key, to be written with the next batch. `details` is called only if the log has room for it.
    pub fn record(&self, key: &CachedKey, used: Use, details: impl FnOnce() -> CallDetails) {
        self.usage.record(key.counter(), key.tenant_log(), &key.secret_id, used, details);
    }

    /// The number of logged calls that have not been written yet.
    #[must_use]
    pub fn usage_pending(&self) -> usize {
        self.usage.pending_calls()
    }

    /// Writes recorded usage in batches, and returns the number of keys. What could not be written is kept for the next
    /// time.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn write_usage(&self) -> Result<u32, Error> {
        let _turn = self.usage_writer.lock().await;
        let mut rest = self.usage.collect();
        let keys = u32::try_from(rest.keys.len()).unwrap_or(u32::MAX);
        while !rest.is_empty() {
            let batch = rest.take_batch();
            if let Err(error) = within(WRITE_TIMEOUT, store::usage::write(&self.database, &rows(&batch))).await {
                self.usage.put_back(rest);
                self.usage.put_back(batch);
                return Err(error.into());
            }
        }
        Ok(keys)
    }

    /// Stores calls with one key that were made in the past.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn import_usage(&self, key: &KeyId, calls: Vec<Call>) -> Result<(), Error> {
        Ok(store::usage::write(&self.database, &rows(&Batch::of(key, calls))).await?)
    }

    /// Stores how often a person called with a password in the past.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn import_legacy_usage(
        &self,
        person: &PersonId,
        method: LegacyMethod,
        count: LegacyCount,
    ) -> Result<(), Error> {
        let legacy = HashMap::from([((person.clone(), method), count)]);
        Ok(store::usage::write(&self.database, &rows(&Batch { legacy, ..Batch::default() })).await?)
    }

    /// Deletes usage that has been kept for long enough.
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
        Ok(within(WRITE_TIMEOUT, store::cluster::clear_log(database)).await?)
    }
}

pub(crate) fn rows(batch: &Batch) -> store::usage::Batch<'_> {
    store::usage::Batch {
        keys: batch.keys.iter().map(|(counter, delta)| (&counter.key, delta)).collect(),
        calls: &batch.calls,
        legacy: &batch.legacy,
    }
}
