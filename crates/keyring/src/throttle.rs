//! Limits on guessing passwords and codes, without a way for strangers to lock an account.
//!
//! Failures are counted in the database, for all nodes together and across restarts. Three counters apply to a sign-in,
//! each for a quarter of an hour: one for an account from one address, one for an address across accounts, and one for
//! an account across addresses. The last one stops guesses that are spread over many addresses. It does not apply to an
//! address from which the person has signed in before, so strangers cannot lock them out.
//!
//! Only failures count: a client may send as many correct passwords concurrently as it likes. The limits are checked
//! before a password is verified and again afterwards, and a failure is counted before it is answered. So concurrent
//! guesses get no more answers than the limit allows.

use std::{net::IpAddr, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{id::PersonId, network::client_network, person::Email};
use secrecy::SecretString;

use crate::{
    Keyring,
    error::Error,
    secret::Sha256Hex,
    store::{self, Change},
};

const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    AccountFromAddress,
    Address,
    Account,
    Code,
    CurrentPassword,
}

impl Kind {
    const ALL: [Self; 5] = [Self::AccountFromAddress, Self::Address, Self::Account, Self::Code, Self::CurrentPassword];

    /// How many failures are allowed within the window.
    pub(crate) const fn limit(self) -> i32 {
        match self {
            Self::AccountFromAddress | Self::Code | Self::CurrentPassword => 10,
            Self::Account => 50,
            Self::Address => 100,
        }
    }

    /// As it is stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::AccountFromAddress => "account_from_address",
            Self::Address => "address",
            Self::Account => "account",
            Self::Code => "code",
            Self::CurrentPassword => "current_password",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether all the failures of a counter concern one person.
    pub(crate) const fn has_person(self) -> bool {
        !matches!(self, Self::Address)
    }

    /// Whether a counter names the address of its last failure.
    pub(crate) const fn has_address(self) -> bool {
        !matches!(self, Self::Account)
    }
}

/// What a person is asked for beyond their sign-in. Each has a counter of its own: guessing the codes of a person whose
/// password was stolen does not keep that person from changing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    Code,
    CurrentPassword,
}

/// A counter, identified by what it counts and for which subject.
#[derive(Debug)]
pub(crate) struct Counter {
    pub(crate) kind: Kind,
    pub(crate) subject: Sha256Hex,
}

impl Counter {
    fn new(kind: Kind, subject: &str) -> Self {
        Self { kind, subject: Sha256Hex::of(subject) }
    }
}

/// The state of a counter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count {
    pub(crate) kind: Kind,
    pub(crate) since: DateTime<Utc>,
    pub(crate) failures: i32,
}

impl Count {
    pub(crate) fn is_exhausted(&self) -> bool {
        self.failures >= self.kind.limit()
    }

    pub(crate) fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.since <= expired(now)
    }

    fn retry_after(&self, now: DateTime<Utc>) -> Duration {
        (self.since + WINDOW - now).to_std().unwrap_or_default()
    }
}

/// One attempt to prove something: the counters that it counts on when it fails, and what to report of it.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) counters: Vec<Counter>,
    /// The person whose account it is, if it is anyone's.
    pub(crate) person: Option<PersonId>,
    pub(crate) address: IpAddr,
}

impl Attempt {
    /// An attempt to sign in. `is_known_address` says whether the person has signed in from the address before.
    pub(crate) fn to_sign_in(
        email: &Email,
        person: Option<&PersonId>,
        address: IpAddr,
        is_known_address: bool,
    ) -> Self {
        let (account, network) = (email.as_str(), client_network(address));
        let mut counters = vec![
            Counter::new(Kind::AccountFromAddress, &format!("{account} {network}")),
            Counter::new(Kind::Address, &network.to_string()),
        ];
        if !is_known_address {
            counters.push(Counter::new(Kind::Account, account));
        }
        Self { counters, person: person.cloned(), address }
    }

    /// An attempt at what else a person knows or has. Strangers do not come so far, so they cannot lock anyone out.
    pub(crate) fn at(proof: Proof, person: &PersonId, address: IpAddr) -> Self {
        let kind = match proof {
            Proof::Code => Kind::Code,
            Proof::CurrentPassword => Kind::CurrentPassword,
        };
        Self { counters: vec![Counter::new(kind, &person.to_string())], person: Some(person.clone()), address }
    }
}

/// The latest beginning of a window that has passed.
pub(crate) fn expired(now: DateTime<Utc>) -> DateTime<Utc> {
    now - WINDOW
}

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
