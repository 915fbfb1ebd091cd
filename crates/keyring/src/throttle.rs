//! Verifies passwords and codes within the limits on failed attempts.

use std::time::Duration;

use secrecy::SecretString;
use verify::rate_limit::sign_in::{Attempt, expired};

use crate::{
    Keyring,
    error::Error,
    store::{self, Change},
};

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
        let counts = store::failed_attempts::find_count(self.database.connection(), attempt, expired(now)).await?;
        match counts.iter().find(|count| count.is_exhausted()) {
            Some(exhausted) => Err(self.throttled(attempt, exhausted.retry_after(now))),
            None => Ok(()),
        }
    }

    /// Counts a failure. Refuses the attempt when others have exhausted a counter since it was checked.
    async fn count_failure(&self, attempt: &Attempt) -> Result<(), Error> {
        let now = self.now();
        let counts = store::failed_attempts::add(&self.database, attempt, now, expired(now)).await?;
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
    Ok(store::failed_attempts::subtract(change, attempt).await?)
}
