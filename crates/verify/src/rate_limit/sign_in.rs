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
use domain::{digest::Sha256Hex, id::PersonId, network::client_network, person::Email};

const SIGN_IN_WINDOW: TimeDelta = TimeDelta::minutes(15);

/// The counted event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    AccountFromAddress,
    Address,
    Account,
    Code,
    CurrentPassword,
}

impl Kind {
    const ALL: [Self; 5] = [Self::AccountFromAddress, Self::Address, Self::Account, Self::Code, Self::CurrentPassword];

    /// Returns the number of failures allowed within the window.
    pub const fn limit(self) -> i32 {
        match self {
            Self::AccountFromAddress | Self::Code | Self::CurrentPassword => 10,
            Self::Account => 50,
            Self::Address => 100,
        }
    }

    /// Returns the stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountFromAddress => "account_from_address",
            Self::Address => "address",
            Self::Account => "account",
            Self::Code => "code",
            Self::CurrentPassword => "current_password",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Returns true if all failures of a counter concern one person.
    pub const fn has_person(self) -> bool {
        !matches!(self, Self::Address)
    }

    /// Returns true if a counter records the address of its last failure.
    pub const fn has_address(self) -> bool {
        !matches!(self, Self::Account)
    }
}

/// The proofs requested of a person beyond their sign-in. Each has a counter of its own: guessing the codes of a person
/// whose password was stolen does not keep that person from changing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    Code,
    CurrentPassword,
}

/// A counter, identified by what it counts and for which subject.
#[derive(Debug)]
pub struct Counter {
    pub kind: Kind,
    pub subject: Sha256Hex,
}

impl Counter {
    fn new(kind: Kind, subject: &str) -> Self {
        Self { kind, subject: Sha256Hex::of(subject) }
    }
}

/// The state of a counter in the database.
#[derive(Debug, Clone, Copy)]
pub struct Count {
    pub kind: Kind,
    pub since: DateTime<Utc>,
    pub failures: i32,
}

impl Count {
    pub fn is_exhausted(&self) -> bool {
        self.failures >= self.kind.limit()
    }

    pub fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.since <= expired(now)
    }

    pub fn retry_after(&self, now: DateTime<Utc>) -> Duration {
        (self.since + SIGN_IN_WINDOW - now).to_std().unwrap_or_default()
    }
}

/// One attempt to prove something: the counters that it counts on when it fails, and what to report of it.
#[derive(Debug)]
pub struct Attempt {
    pub counters: Vec<Counter>,
    /// The person whose account it is, if it is anyone's.
    pub person: Option<PersonId>,
    pub address: IpAddr,
}

impl Attempt {
    /// An attempt to sign in. `is_known_address` says whether the person has signed in from the address before.
    pub fn to_sign_in(email: &Email, person: Option<&PersonId>, address: IpAddr, is_known_address: bool) -> Self {
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
    pub fn at(proof: Proof, person: &PersonId, address: IpAddr) -> Self {
        let kind = match proof {
            Proof::Code => Kind::Code,
            Proof::CurrentPassword => Kind::CurrentPassword,
        };
        Self { counters: vec![Counter::new(kind, &person.to_string())], person: Some(person.clone()), address }
    }
}

/// The latest beginning of a window that has passed.
pub fn expired(now: DateTime<Utc>) -> DateTime<Utc> {
    now - SIGN_IN_WINDOW
}
