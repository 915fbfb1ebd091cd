//! Looks a secret up: in the cache if the lease allows that, otherwise in the database.

use std::sync::Arc;

use domain::id::TenantId;

use super::{Lease, LeaseState, NoLease, Runtime};
use crate::{
    error::Error,
    evaluator::{CachedKey, KeyRecord, KeyTenant},
    memory::{LookedUp, Lookup, Memory},
    secret::SecretHash,
    store::StoreError,
};

/// Where keys are looked up that memory does not know.
pub(crate) trait Source {
    async fn find(&self, hash: &SecretHash) -> Result<Option<KeyRecord>, StoreError>;

    async fn tenant(&self, id: &TenantId) -> Result<Option<KeyTenant>, StoreError>;
}

/// What is known of a secret without a query.
pub(crate) enum CacheLookup {
    Key(Arc<CachedKey>),
    NoKey,
    /// The database must be queried.
    Unknown(LookUp),
}

/// How to ask the database about a secret.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LookUp {
    lease_state: LeaseState,
    /// The secret was once found, and something has changed since.
    pub(crate) is_outdated: bool,
}

/// Returns the key of a secret, or none if there is none.
pub(crate) async fn find_key<W: Source + Runtime>(
    world: &W,
    lease: &Lease,
    memory: &Memory,
    hash: &SecretHash,
) -> Result<Option<Arc<CachedKey>>, Error> {
    match recall(world, lease, memory, hash).await? {
        CacheLookup::Key(cached_key) => Ok(Some(cached_key)),
        CacheLookup::NoKey => Ok(None),
        CacheLookup::Unknown(how) => Box::pin(look_up(world, memory, hash, how)).await,
    }
}

/// Returns what the cache holds for a secret, if it may be used.
///
/// The order matters. The lease is checked first: every change confirmed before that instant has been applied. Only
/// then is the cache read, and it holds only rows that were read behind an unmoved fence.
pub(crate) async fn recall<W: Runtime>(
    world: &W,
    lease: &Lease,
    memory: &Memory,
    hash: &SecretHash,
) -> Result<CacheLookup, Error> {
    let now = world.ticks();
    world.stall().await;
    let lease_state = lease.check(now).map_err(|NoLease| StoreError::NoLease)?;
    world.stall().await;
    if lease_state == LeaseState::Database {
        return Ok(CacheLookup::Unknown(LookUp { lease_state, is_outdated: false }));
    }
    Ok(match memory.recall(hash, now) {
        Lookup::Key(cached_key) => CacheLookup::Key(cached_key),
        Lookup::Absent => CacheLookup::NoKey,
        Lookup::Outdated => CacheLookup::Unknown(LookUp { lease_state, is_outdated: true }),
        Lookup::Unknown => CacheLookup::Unknown(LookUp { lease_state, is_outdated: false }),
    })
}

/// Asks the database about a secret that [`recall`] does not know, together with concurrent callers that ask for the same one.
///
/// It is to be boxed: were it a part of the question itself, each answer from memory would move it about as well, which
/// is some thousand bytes.
pub(crate) async fn look_up<W: Source + Runtime>(
    world: &W,
    memory: &Memory,
    hash: &SecretHash,
    LookUp { lease_state, .. }: LookUp,
) -> Result<Option<Arc<CachedKey>>, Error> {
    if lease_state == LeaseState::Database {
        return read_key(world, memory, hash, lease_state).await.map_err(Into::into);
    }
    let fence = memory.fence();
    memory.look_up(hash, fence, read_key(world, memory, hash, lease_state)).await.map_err(Into::into)
}

/// Asks the database, and remembers what it said where memory counts.
async fn read_key<W: Source + Runtime>(
    world: &W,
    memory: &Memory,
    hash: &SecretHash,
    lease_state: LeaseState,
) -> LookedUp {
    let fence = memory.fence();
    world.stall().await;
    let found = world.find(hash).await?;
    let now = world.ticks();
    let Some(found) = found else {
        memory.keep_absent(fence, hash, now);
        return Ok(None);
    };
    let cached_tenant = memory.depend_on_tenant(&found.tenant, now);
    world.stall().await;
    let known = if lease_state == LeaseState::Memory { cached_tenant.tenant() } else { None };
    let tenant = match known {
        Some(tenant) => tenant,
        None => {
            let Some(tenant) = world.tenant(&found.tenant).await?.map(Arc::new) else { return Ok(None) };
            if lease_state == LeaseState::Memory {
                memory.keep_tenant(fence, &cached_tenant, &tenant);
            }
            tenant
        }
    };
    world.stall().await;
    let cached_key = Arc::new(memory.build_key(found, tenant, cached_tenant, now));
    if lease_state == LeaseState::Memory {
        world.stall().await;
        memory.keep(fence, hash, &cached_key);
    }
    Ok(Some(cached_key))
}
