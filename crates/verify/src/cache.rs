//! The cache of keys, which saves a query for each call.
//!
//! Everything here may become outdated when another node changes something. Two rules keep it correct. A cached key
//! records the generation of everything that it depends on; a change bumps the generation, so dependent entries are
//! reloaded. And a row read from the database carries the fence from before the read: if any change has been applied
//! since, the row may predate it and is not cached.

use std::{
    hash::{BuildHasherDefault, Hasher},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use domain::{
    cluster::Invalidation,
    digest::SecretHash,
    id::{KeyId, PersonId, TenantId},
    key_record::KeyRecord,
};
use quick_cache::{Weighter, sync::Cache};

use crate::{
    clock::Millis,
    generation::{HasGeneration, Versioned},
    usage::{TenantLog, UsageCounter},
};

mod cached_key;
mod cached_tenant;
mod negative_cache;
mod registry;
mod single_flight;
mod weight;

pub use cached_key::{CachedKey, KeyTenant};
pub use cached_tenant::CachedTenant;

use cached_tenant::{CachedOwner, GroupGrants};
use negative_cache::NegativeCache;
use registry::Registry;
use single_flight::SingleFlight;

/// Why the database could not be queried. Concurrent look-ups share it.
pub type SourceError = Arc<dyn std::error::Error + Send + Sync>;

/// The result of a look-up: a key, or that there is none.
pub type LookedUp = Result<Option<Arc<CachedKey>>, SourceError>;

/// The keys that this process has in memory.
pub struct KeyCache {
    keys: Cache<SecretHash, Arc<CachedKey>, Weight, BuildHasherDefault<PassthroughHasher>>,
    absent: NegativeCache,
    counters: Registry<KeyId, UsageCounter>,
    tenants: Registry<TenantId, CachedTenant>,
    owners: Registry<PersonId, CachedOwner>,
    single_flight: SingleFlight<LookedUp>,
    /// The number of applied changes.
    fence: AtomicU64,
}

/// The number of applied changes, read before a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fence(u64);

/// The result of a cache lookup.
pub enum Lookup {
    Key(Arc<CachedKey>),
    /// It was recently absent from the database.
    Absent,
    /// A key whose dependencies have changed since.
    Outdated,
    /// The cache holds nothing.
    Unknown,
}

/// The generations that a cached key depends on.
#[derive(Debug)]
pub struct Dependencies {
    counter: Versioned<UsageCounter>,
    tenant: Versioned<CachedTenant>,
    owner: Option<Versioned<CachedOwner>>,
}

/// The generations that the admission of a person depends on.
#[derive(Debug, Clone)]
pub struct PersonDependencies {
    tenant: Versioned<CachedTenant>,
    person: Versioned<CachedOwner>,
}

impl PersonDependencies {
    pub fn are_current(&self) -> bool {
        self.tenant.is_current() && self.person.is_current()
    }
}

impl Dependencies {
    pub fn counter(&self) -> &Arc<UsageCounter> {
        &self.counter.value
    }

    pub fn tenant_log(&self) -> &TenantLog {
        self.tenant.value.log()
    }

    pub fn are_current(&self) -> bool {
        self.counter.is_current() && self.tenant.is_current() && self.owner.as_ref().is_none_or(Versioned::is_current)
    }
}

impl KeyCache {
    /// Creates a cache of about this many bytes.
    pub fn new(bytes: u64) -> Self {
        let some = usize::try_from(bytes / weight::TYPICAL_BYTES).unwrap_or(usize::MAX);
        Self {
            keys: Cache::with(some, bytes, Weight, BuildHasherDefault::default(), Default::default()),
            absent: NegativeCache::default(),
            counters: Registry::default(),
            tenants: Registry::default(),
            owners: Registry::default(),
            single_flight: SingleFlight::default(),
            fence: AtomicU64::default(),
        }
    }

    pub fn resize(&self, bytes: u64) {
        self.keys.set_capacity(bytes);
    }

    /// Returns what is cached for a secret, unless something that it depends on has changed.
    pub fn recall(&self, hash: &SecretHash, now: Millis) -> Lookup {
        match self.keys.get(hash) {
            Some(cached_key) if cached_key.dependencies.are_current() => Lookup::Key(cached_key),
            // Also of a key that is out of date: it may have been deleted.
            _ if self.absent.is_known(hash, now) => Lookup::Absent,
            Some(_) => Lookup::Outdated,
            None => Lookup::Unknown,
        }
    }

    pub fn fence(&self) -> Fence {
        Fence(self.fence.load(Ordering::Acquire))
    }

    fn is_at(&self, fence: Fence) -> bool {
        self.fence() == fence
    }

    /// Looks a secret up, together with concurrent look-ups of the same secret.
    pub async fn look_up(&self, hash: &SecretHash, fence: Fence, query: impl Future<Output = LookedUp>) -> LookedUp {
        self.single_flight.join(hash, fence, query).await
    }

    /// Records a dependency on the tenant. Call this before reading the tenant, so that no concurrent change is missed.
    pub fn depend_on_tenant(&self, tenant: &TenantId, now: Millis) -> Versioned<CachedTenant> {
        Versioned::new(self.tenants.get_or_insert(tenant, now, CachedTenant::default))
    }

    /// Records the dependencies of a person who was read behind the fence. `None` if a change was applied since: it may
    /// have concerned them.
    pub fn depend_on_person(
        &self,
        fence: Fence,
        tenant: &TenantId,
        person: &PersonId,
        now: Millis,
    ) -> Option<PersonDependencies> {
        let tenant = self.depend_on_tenant(tenant, now);
        let person = Versioned::new(self.owners.get_or_insert(person, now, CachedOwner::default));
        self.is_at(fence).then_some(PersonDependencies { tenant, person })
    }

    /// Caches a tenant that was read behind the fence.
    pub fn keep_tenant(&self, fence: Fence, cached_tenant: &Versioned<CachedTenant>, tenant: &Arc<KeyTenant>) {
        cached_tenant.value.keep(tenant, || self.is_at(fence));
    }

    /// Builds the cached key from its row. It depends on the current generations of key and owner, even if the row is
    /// older: [`Self::keep`] checks that.
    pub fn build_key(
        &self,
        found: KeyRecord,
        tenant: Arc<KeyTenant>,
        cached_tenant: Versioned<CachedTenant>,
        now: Millis,
    ) -> CachedKey {
        let owner = found.owner.as_ref().map(|owner| self.owners.get_or_insert(&owner.id, now, CachedOwner::default));
        let grants = GroupGrants {
            group: found.group.as_deref().map(Arc::from),
            permissions: found.permissions.as_slice().into(),
        };
        let GroupGrants { group, permissions } = cached_tenant.value.share(grants);
        let dependencies = Dependencies {
            counter: Versioned::new(self.counters.get_or_insert(&found.id, now, || UsageCounter::new(&found.id))),
            owner: owner.map(Versioned::new),
            tenant: cached_tenant,
        };
        CachedKey::new(found, tenant, group, permissions, dependencies)
    }

    /// Caches a key that was read behind the fence. A change that is applied later bumps one of its generations; one that
    /// was applied before has moved the fence.
    pub fn keep(&self, fence: Fence, hash: &SecretHash, cached_key: &Arc<CachedKey>) {
        if self.is_at(fence) {
            self.keys.insert(*hash, cached_key.clone());
        }
    }

    /// Remembers for a moment that a secret does not exist.
    pub fn keep_absent(&self, fence: Fence, hash: &SecretHash, now: Millis) {
        if self.is_at(fence) {
            self.absent.keep(hash, now);
        }
    }

    /// Starts applying a change: rows read before are not cached any more.
    pub fn raise_fence(&self) -> RaisedFence<'_> {
        self.fence.fetch_add(1, Ordering::AcqRel);
        RaisedFence(self)
    }
}

/// A cache that takes no rows read before a change any more, so that entries can be invalidated for good.
#[must_use]
pub struct RaisedFence<'a>(&'a KeyCache);

impl RaisedFence<'_> {
    pub fn invalidate(self, touched: &Invalidation) {
        match touched {
            Invalidation::Key(id) => self.0.counters.find(id).iter().for_each(|counter| counter.generation().bump()),
            Invalidation::Person(id) => self.0.owners.find(id).iter().for_each(|owner| owner.generation().bump()),
            Invalidation::Tenant(id) => self.0.tenants.find(id).iter().for_each(|cached_tenant| cached_tenant.forget()),
        }
    }

    pub fn clear(self) {
        self.0.tenants.for_each(CachedTenant::forget);
        self.0.keys.clear();
        self.0.absent.clear();
    }
}

/// A hash is uniformly distributed, so some of its bits serve as the hash of the map.
#[derive(Default)]
pub struct PassthroughHasher(u64);

impl Hasher for PassthroughHasher {
    fn write_u64(&mut self, bits: u64) {
        self.0 = bits;
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only hashes of secrets are hashed, and they write their bits in one call")
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[derive(Clone)]
struct Weight;

impl Weighter<SecretHash, Arc<CachedKey>> for Weight {
    fn weight(&self, _: &SecretHash, cached_key: &Arc<CachedKey>) -> u64 {
        weight::weight_of(cached_key)
    }
}
