//! What this process remembers of keys, so that it need not ask the database about each call.
//!
//! Everything here may be out of date the moment that somebody else changes something, so two rules hold it
//! together. Whatever is remembered relies on marks, which move when that is changed which they stand for. And
//! whatever is read from the database carries the fence as it was before the reading: it is not remembered when any
//! change has been applied since, because it may have been read before that change.

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
    evaluator::{Found, KeyTenant, Standing},
    secret::SecretHash,
    store::StoreError,
    usage::TenantLog,
};

mod absent;
mod flights;
mod mark;
mod registry;
mod tally;
mod tenancy;

pub(crate) use mark::Relied;
pub(crate) use tally::{Tally, Uses};
pub(crate) use tenancy::Tenancy;

use absent::Absent;
use flights::Flights;
use mark::Marked;
use registry::Registry;
use tenancy::{Holder, Powers};

/// What was looked up: a key, or that there is none.
pub(crate) type LookedUp = Result<Option<Arc<Standing>>, Arc<StoreError>>;

pub(crate) struct Memory {
    keys: Cache<SecretHash, Arc<Standing>, Weight, BuildHasherDefault<Spread>>,
    absent: Absent,
    tallies: Registry<KeyId, Tally>,
    tenants: Registry<TenantId, Tenancy>,
    holders: Registry<PersonId, Holder>,
    flights: Flights<LookedUp>,
    /// How many changes have been applied.
    fence: AtomicU64,
}

/// How many changes had been applied when something was about to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Fence(u64);

/// What memory says of a secret.
pub(crate) enum Recalled {
    Key(Arc<Standing>),
    /// Nobody had it a moment ago.
    Nobody,
    /// There was such a key, and something that it relies on has changed since.
    Outdated,
    /// Memory does not know.
    Nothing,
}

/// Something that a change took from, or gave to, one key or many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Touched {
    Key(KeyId),
    /// All keys of a person's own.
    Person(PersonId),
    /// All keys of a tenant.
    Tenant(TenantId),
}

impl Touched {
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
pub(crate) struct Grounds {
    tally: Relied<Tally>,
    tenant: Relied<Tenancy>,
    owner: Option<Relied<Holder>>,
}

/// What the admission of a person depends on.
#[derive(Debug, Clone)]
pub struct PersonDependencies {
    tenant: Relied<Tenancy>,
    person: Relied<Holder>,
}

impl PersonDependencies {
    pub(crate) fn are_current(&self) -> bool {
        self.tenant.is_current() && self.person.is_current()
    }
}

impl Grounds {
    pub(crate) fn tally(&self) -> &Arc<Tally> {
        &self.tally.on
    }

    pub(crate) fn tenant_log(&self) -> &TenantLog {
        self.tenant.on.log()
    }

    pub(crate) fn are_current(&self) -> bool {
        self.tally.is_current() && self.tenant.is_current() && self.owner.as_ref().is_none_or(Relied::is_current)
    }
}

impl Memory {
    /// A memory of so many bytes, more or less.
    pub(crate) fn new(bytes: u64) -> Self {
        let some = usize::try_from(bytes / weight::USUAL).unwrap_or(usize::MAX);
        Self {
            keys: Cache::with(some, bytes, Weight, BuildHasherDefault::default(), Default::default()),
            absent: Absent::default(),
            tallies: Registry::default(),
            tenants: Registry::default(),
            holders: Registry::default(),
            flights: Flights::default(),
            fence: AtomicU64::default(),
        }
    }

    pub(crate) fn resize(&self, bytes: u64) {
        self.keys.set_capacity(bytes);
    }

    /// What is remembered of a secret, as long as nothing that it relies on has changed.
    pub(crate) fn recall(&self, hash: &SecretHash, now: Millis) -> Recalled {
        match self.keys.get(hash) {
            Some(standing) if standing.grounds.are_current() => Recalled::Key(standing),
            // Also of a key that is out of date: it may have been deleted.
            _ if self.absent.is_known(hash, now) => Recalled::Nobody,
            Some(_) => Recalled::Outdated,
            None => Recalled::Nothing,
        }
    }

    pub(crate) fn fence(&self) -> Fence {
        Fence(self.fence.load(Ordering::Acquire))
    }

    fn is_at(&self, fence: Fence) -> bool {
        self.fence() == fence
    }

    /// Looks a secret up, together with whoever asks for the same at once.
    pub(crate) async fn look_up(
        &self,
        hash: &SecretHash,
        fence: Fence,
        ask: impl Future<Output = LookedUp>,
    ) -> LookedUp {
        self.flights.join(hash, fence, ask).await
    }

    /// What a tenant is relied on for from now on. Taken before the tenant is read, from wherever, so that no change
    /// goes unnoticed that is applied meanwhile.
    pub(crate) fn rely_on(&self, tenant: &TenantId, now: Millis) -> Relied<Tenancy> {
        Relied::on(self.tenants.obtain(tenant, now, Tenancy::default))
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
        let tenant = self.rely_on(tenant, now);
        let person = Relied::on(self.holders.obtain(person, now, Holder::default));
        self.is_at(fence).then_some(PersonDependencies { tenant, person })
    }

    /// Remembers a tenant that was read from the database behind the fence.
    pub(crate) fn keep_tenant(&self, fence: Fence, tenancy: &Relied<Tenancy>, tenant: &Arc<KeyTenant>) {
        tenancy.on.keep(tenant, || self.is_at(fence));
    }

    /// Makes of what was found what is judged. Of key and owner, it relies on what holds now, whether or not that was
    /// so when they were found: [`Self::keep`] looks to that.
    pub(crate) fn stand(
        &self,
        found: Found,
        tenant: Arc<KeyTenant>,
        tenancy: Relied<Tenancy>,
        now: Millis,
    ) -> Standing {
        let owner = found.owner.as_ref().map(|owner| self.holders.obtain(&owner.id, now, Holder::default));
        let powers =
            Powers { group: found.group.as_deref().map(Arc::from), permissions: found.permissions.as_slice().into() };
        let Powers { group, permissions } = tenancy.on.share(powers);
        let grounds = Grounds {
            tally: Relied::on(self.tallies.obtain(&found.id, now, || Tally::new(&found.id))),
            owner: owner.map(Relied::on),
            tenant: tenancy,
        };
        Standing::new(found, tenant, group, permissions, grounds)
    }

    /// Remembers a key that was found behind the fence. A change that is applied from now on moves one of its marks;
    /// one that was applied before has moved the fence.
    pub(crate) fn keep(&self, fence: Fence, hash: &SecretHash, standing: &Arc<Standing>) {
        if self.is_at(fence) {
            self.keys.insert(*hash, standing.clone());
        }
    }

    /// Remembers for a moment that nobody has a secret.
    pub(crate) fn keep_absent(&self, fence: Fence, hash: &SecretHash, now: Millis) {
        if self.is_at(fence) {
            self.absent.keep(hash, now);
        }
    }

    /// Begins to apply a change: whatever was read before is not taken in any more.
    pub(crate) fn fence_off(&self) -> FencedOff<'_> {
        self.fence.fetch_add(1, Ordering::AcqRel);
        FencedOff(self)
    }
}

/// A memory into which nothing comes that was read before a change: only now is it of any use to forget what is in it.
#[must_use]
pub(crate) struct FencedOff<'a>(&'a Memory);

impl FencedOff<'_> {
    pub(crate) fn forget(self, touched: &Touched) {
        match touched {
            Touched::Key(id) => self.0.tallies.find(id).iter().for_each(|tally| tally.mark().move_on()),
            Touched::Person(id) => self.0.holders.find(id).iter().for_each(|holder| holder.mark().move_on()),
            Touched::Tenant(id) => self.0.tenants.find(id).iter().for_each(|tenancy| tenancy.forget()),
        }
    }

    pub(crate) fn forget_everything(self) {
        self.0.tenants.for_each(Tenancy::forget);
        self.0.keys.clear();
        self.0.absent.clear();
    }
}

/// A hash is as good as random: some of its bits spread as well as all of them mixed.
#[derive(Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    fn write_u64(&mut self, bits: u64) {
        self.0 = bits;
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only hashes of secrets are kept by it, and they write their bits at once")
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[derive(Clone)]
struct Weight;

impl Weighter<SecretHash, Arc<Standing>> for Weight {
    fn weight(&self, _: &SecretHash, standing: &Arc<Standing>) -> u64 {
        weight::of(standing)
    }
}

mod weight;
