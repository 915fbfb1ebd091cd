//! The keys under test: a fixed number of slots, each of which holds one key after another.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use domain::id::KeyId;
use latchkey_client::Verdict;
use rand::RngExt;
use secrecy::SecretString;

use super::history::History;

/// The number of retired secrets that are still verified.
const RETIRED: usize = 500;

pub struct Secret {
    pub text: SecretString,
    /// The owning tenant's index.
    pub tenant: usize,
    pub history: History,
}

impl Secret {
    pub fn new(text: SecretString, tenant: usize) -> Arc<Self> {
        Arc::new(Self { text, tenant, history: History::of_good() })
    }

    pub fn allows(&self, verdict: &Verdict, asked: Instant) -> bool {
        self.history.allows(verdict, asked, Instant::now())
    }
}

/// The state of a key that changes depend on.
pub struct Key {
    pub id: KeyId,
    pub tenant: usize,
    pub version: i32,
    pub is_narrowed: bool,
    /// Those that were rotated away: for as long as there is the key, it is known whose they were.
    pub old_secrets: Vec<Arc<Secret>>,
}

impl Key {
    pub fn new(tenant: usize, id: KeyId) -> Self {
        Self { id, tenant, version: 1, is_narrowed: false, old_secrets: Vec::new() }
    }
}

pub struct Slot {
    /// Held by the task that changes the key; none once the state of the key is unknown.
    pub key: tokio::sync::Mutex<Option<Key>>,
    secret: Mutex<Arc<Secret>>,
}

impl Slot {
    pub fn new(tenant: usize, id: KeyId, secret: SecretString) -> Self {
        let key = tokio::sync::Mutex::new(Some(Key::new(tenant, id)));
        Self { key, secret: Mutex::new(Secret::new(secret, tenant)) }
    }

    pub fn secret(&self) -> Arc<Secret> {
        self.secret.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn put(&self, secret: Arc<Secret>) {
        *self.secret.lock().unwrap_or_else(PoisonError::into_inner) = secret;
    }
}

pub struct Slots {
    all: Vec<Slot>,
    retired: Mutex<Vec<Arc<Secret>>>,
}

impl Slots {
    pub fn new(all: Vec<Slot>) -> Self {
        Self { all, retired: Mutex::default() }
    }

    pub fn any(&self) -> &Slot {
        &self.all[rand::rng().random_range(..self.all.len())]
    }

    /// One of ten requests uses a retired secret.
    pub fn any_secret(&self) -> Arc<Secret> {
        let over = || {
            let retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
            (!retired.is_empty()).then(|| retired[rand::rng().random_range(..retired.len())].clone())
        };
        let retired = if rand::rng().random_ratio(1, 10) { over() } else { None };
        retired.unwrap_or_else(|| self.any().secret())
    }

    pub fn retire(&self, secret: Arc<Secret>) {
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        if retired.len() < RETIRED {
            retired.push(secret);
        } else {
            let place = rand::rng().random_range(..RETIRED);
            retired[place] = secret;
        }
    }

    /// Every live secret, and those retired recently.
    pub fn all_secrets(&self) -> Vec<Arc<Secret>> {
        let retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.all.iter().map(Slot::secret).chain(retired).collect()
    }
}
