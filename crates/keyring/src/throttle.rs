//! Verifies passwords and codes within the limits on failed attempts.

use std::time::Duration;

use secrecy::SecretString;
use store::{SqlError, StoreError, failed_attempts::Counter};
use verify::rate_limit::sign_in::{Attempt, Count, Kind, expired};

use crate::{Keyring, change::Change, error::Error};

impl Keyring {
    /// Verifies a password within the limits of an attempt. Without a hash it is wrong, after the same time.
    ///
    /// # Errors
    /// If there were too many failures.
    pub(crate) async fn verify_password(
        &self,
        attempt: &Attempt,
        password: &SecretString,
        hash: Option<String>,
    ) -> Result<bool, Error> {
        // Held until a failure is counted, so that guesses that wait for a core see it.
        let core = self.passwords.acquire_core().await;
        self.check_attempt(attempt).await?;
        let is_right = core.verify(password.clone(), hash).await;
        // Guesses that ended in the meantime may have exhausted a counter.
        self.check_attempt(attempt).await?;
        if !is_right {
            self.count_failure(attempt).await?;
        }
        Ok(is_right)
    }

    /// Counts an attempt as a failure before its proof is checked, for what cannot be right twice. A right proof takes
    /// that back with [`forgive`].
    ///
    /// # Errors
    /// If there were too many failures.
    pub(crate) async fn count_in_advance(&self, attempt: &Attempt) -> Result<(), Error> {
        self.check_attempt(attempt).await?;
        self.count_failure(attempt).await
    }

    /// Refuses an attempt when one of its counters is exhausted.
    async fn check_attempt(&self, attempt: &Attempt) -> Result<(), Error> {
        let now = self.now();
        let counts = counts(
            store::failed_attempts::find_count(self.database.connection(), &counters(attempt), expired(now)).await?,
        )?;
        match counts.iter().find(|count| count.is_exhausted()) {
            Some(exhausted) => Err(self.throttled(attempt, exhausted.retry_after(now))),
            None => Ok(()),
        }
    }

    /// Counts a failure. Refuses the attempt when others have exhausted a counter since it was checked.
    async fn count_failure(&self, attempt: &Attempt) -> Result<(), Error> {
        let now = self.now();
        let counts = counts(store::failed_attempts::add(&self.database, &counters(attempt), now, expired(now)).await?)?;
        match counts.iter().find(|count| count.failures > count.kind.limit()) {
            Some(exceeded) => Err(self.throttled(attempt, exceeded.retry_after(now))),
            None => Ok(()),
        }
    }

    fn throttled(&self, attempt: &Attempt, retry_after: Duration) -> Error {
        self.security_events.report_throttled(attempt.person.as_ref(), attempt.address, self.clock.ticks());
        Error::TooManyAttempts { retry_after }
    }
}

/// Takes back what was counted in advance.
pub(crate) async fn forgive(change: &Change, attempt: &Attempt) -> Result<(), Error> {
    Ok(store::failed_attempts::subtract(change, &counters(attempt)).await?)
}

/// The counters of an attempt, as the database stores them.
fn counters(attempt: &Attempt) -> Vec<Counter<'_>> {
    let rows = attempt.counters.iter().map(|counter| Counter {
        kind: counter.kind.as_str(),
        subject: &counter.subject,
        person: attempt.person.as_ref().filter(|_| counter.kind.has_person()),
        address: counter.kind.has_address().then_some(attempt.address),
    });
    rows.collect()
}

fn counts(rows: Vec<store::failed_attempts::Count>) -> Result<Vec<Count>, StoreError> {
    rows.into_iter().map(count).collect()
}

/// Reads the state of a counter.
pub(crate) fn count(row: store::failed_attempts::Count) -> Result<Count, StoreError> {
    match Kind::parse(&row.kind) {
        Some(kind) => Ok(Count { kind, since: row.since, failures: row.failures }),
        None => Err(SqlError::Unreadable { what: "a kind of attempt", value: row.kind }.into()),
    }
}
