//! What this process remembers of keys, so that it need not ask the database about each call.
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

use domain::id::{Id, KeyId, PersonId, TenantId};
use quick_cache::{Weighter, sync::Cache};

use crate::{
    clock::Millis,
    evaluator::{CachedKey, KeyRecord, KeyTenant},
    secret::SecretHash,
    store::StoreError,
    usage::TenantLog,
};

mod cached_tenant;
mod generation;
mod negative_cache;
mod registry;
mod single_flight;
mod usage_counter;

pub(crate) use cached_tenant::CachedTenant;
pub(crate) use generation::Versioned;
pub(crate) use usage_counter::{UsageCounter, UsageDelta};

use cached_tenant::{CachedOwner, GroupGrants};
use generation::HasGeneration;
use negative_cache::NegativeCache;
use registry::Registry;
use single_flight::SingleFlight;

/// What was looked up: a key, or that there is none.
pub(crate) type LookedUp = Result<Option<Arc<CachedKey>>, Arc<StoreError>>;

pub(crate) struct Memory {
    keys: Cache<SecretHash, Arc<CachedKey>, Weight, BuildHasherDefault<PassthroughHasher>>,
    absent: NegativeCache,
    counters: Registry<KeyId, UsageCounter>,
    tenants: Registry<TenantId, CachedTenant>,
    owners: Registry<PersonId, CachedOwner>,
    single_flight: SingleFlight<LookedUp>,
    /// How many changes have been applied.
    fence: AtomicU64,
}

/// How many changes had been applied when something was about to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Fence(u64);

/// What memory says of a secret.
pub(crate) enum Lookup {
    Key(Arc<CachedKey>),
    /// It was recently absent from the database.
    Absent,
    /// There was such a key, and something that it relies on has changed since.
    Outdated,
    /// Memory does not know.
    Unknown,
}

/// Something that a change took from, or gave to, one key or many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Invalidation {
    Key(KeyId),
    /// All keys of a person's own.
    Person(PersonId),
    /// All keys of a tenant.
    Tenant(TenantId),
}

impl Invalidation {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let key = || KeyId::parse(text).ok().map(Self::Key);
        let person = || PersonId::parse(text).ok().map(Self::Person);
        let tenant = || TenantId::parse(text).ok().map(Self::Tenant);
        key().or_else(person).or_else(tenant)
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Key(id) => id.as_str(),
            Self::Person(id) => id.as_str(),
            Self::Tenant(id) => id.as_str(),
        }
    }
}

/// What a key that is remembered was made of.
#[derive(Debug)]
pub(crate) struct Dependencies {
    counter: Versioned<UsageCounter>,
    tenant: Versioned<CachedTenant>,
    owner: Option<Versioned<CachedOwner>>,
}

/// What the admission of a person depends on.
#[derive(Debug, Clone)]
pub struct PersonDependencies {
    tenant: Versioned<CachedTenant>,
    person: Versioned<CachedOwner>,
}

impl PersonDependencies {
    pub(crate) fn are_current(&self) -> bool {
        self.tenant.is_current() && self.person.is_current()
    }
}

impl Dependencies {
    pub(crate) fn counter(&self) -> &Arc<UsageCounter> {
        &self.counter.on
    }

    pub(crate) fn tenant_log(&self) -> &TenantLog {
        self.tenant.on.log()
    }

    pub(crate) fn are_current(&self) -> bool {
        self.counter.is_current() && self.tenant.is_current() && self.owner.as_ref().is_none_or(Versioned::is_current)
    }
}

impl Memory {
    /// Creates a cache of about this many bytes.
    pub(crate) fn new(bytes: u64) -> Self {
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

    pub(crate) fn resize(&self, bytes: u64) {
        self.keys.set_capacity(bytes);
    }

    /// What is remembered of a secret, as long as nothing that it relies on has changed.
    pub(crate) fn recall(&self, hash: &SecretHash, now: Millis) -> Lookup {
        match self.keys.get(hash) {
            Some(cached_key) if cached_key.dependencies.are_current() => Lookup::Key(cached_key),
            // Also of a key that is out of date: it may have been deleted.
            _ if self.absent.is_known(hash, now) => Lookup::Absent,
            Some(_) => Lookup::Outdated,
            None => Lookup::Unknown,
        }
    }

    pub(crate) fn fence(&self) -> Fence {
        Fence(self.fence.load(Ordering::Acquire))
    }

    fn is_at(&self, fence: Fence) -> bool {
        self.fence() == fence
    }

    /// Looks a secret up, together with concurrent look-ups of the same secret.
    pub(crate) async fn look_up(
        &self,
        hash: &SecretHash,
        fence: Fence,
        ask: impl Future<Output = LookedUp>,
    ) -> LookedUp {
        self.single_flight.join(hash, fence, ask).await
    }

    /// Records a dependency on the tenant. Call this before reading the tenant, so that no concurrent change is missed.
    pub(crate) fn depend_on_tenant(&self, tenant: &TenantId, now: Millis) -> Versioned<CachedTenant> {
        Versioned::on(self.tenants.get_or_insert(tenant, now, CachedTenant::default))
    }

    /// What a person depends on who was read from the database behind the fence. `None` when a change was applied since:
    /// it may have been to them.
    pub(crate) fn depend_on_person(
        &self,
        fence: Fence,
        tenant: &TenantId,
        person: &PersonId,
        now: Millis,
    ) -> Option<PersonDependencies> {
        let tenant = self.depend_on_tenant(tenant, now);
        let person = Versioned::on(self.owners.get_or_insert(person, now, CachedOwner::default));
        self.is_at(fence).then_some(PersonDependencies { tenant, person })
    }

    /// Remembers a tenant that was read from the database behind the fence.
    pub(crate) fn keep_tenant(&self, fence: Fence, cached_tenant: &Versioned<CachedTenant>, tenant: &Arc<KeyTenant>) {
        cached_tenant.on.keep(tenant, || self.is_at(fence));
    }

    /// Builds the cached key from its row. It depends on the current generations of key and owner, even if the row is
    /// older: [`Self::keep`] checks that.
    pub(crate) fn build_key(
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
        let GroupGrants { group, permissions } = cached_tenant.on.share(grants);
        let dependencies = Dependencies {
            counter: Versioned::on(self.counters.get_or_insert(&found.id, now, || UsageCounter::new(&found.id))),
            owner: owner.map(Versioned::on),
            tenant: cached_tenant,
        };
        CachedKey::new(found, tenant, group, permissions, dependencies)
    }

    /// Remembers a key that was found behind the fence. A change that is applied from now on moves one of its marks;
    /// one that was applied before has moved the fence.
    pub(crate) fn keep(&self, fence: Fence, hash: &SecretHash, cached_key: &Arc<CachedKey>) {
        if self.is_at(fence) {
            self.keys.insert(*hash, cached_key.clone());
        }
    }

    /// Remembers for a moment that a secret does not exist.
    pub(crate) fn keep_absent(&self, fence: Fence, hash: &SecretHash, now: Millis) {
        if self.is_at(fence) {
            self.absent.keep(hash, now);
        }
    }

    /// Starts applying a change: rows read before are not cached any more.
    pub(crate) fn raise_fence(&self) -> RaisedFence<'_> {
        self.fence.fetch_add(1, Ordering::AcqRel);
        RaisedFence(self)
    }
}

/// A memory into which nothing comes that was read before a change: only now is it of any use to forget what is in it.
#[must_use]
pub(crate) struct RaisedFence<'a>(&'a Memory);

impl RaisedFence<'_> {
    pub(crate) fn forget(self, touched: &Invalidation) {
        match touched {
            Invalidation::Key(id) => self.0.counters.find(id).iter().for_each(|counter| counter.generation().bump()),
            Invalidation::Person(id) => self.0.owners.find(id).iter().for_each(|owner| owner.generation().bump()),
            Invalidation::Tenant(id) => self.0.tenants.find(id).iter().for_each(|cached_tenant| cached_tenant.forget()),
        }
    }

    pub(crate) fn forget_everything(self) {
        self.0.tenants.for_each(CachedTenant::forget);
        self.0.keys.clear();
        self.0.absent.clear();
    }
}

/// A hash is uniformly distributed, so some of its bits serve as the hash of the map.
#[derive(Default)]
pub(crate) struct PassthroughHasher(u64);

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

mod weight;
