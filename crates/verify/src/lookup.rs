//! Looks a secret up: in the cache if the lease allows that, otherwise in the database.

use std::sync::Arc;

use domain::{
    digest::SecretHash,
    id::TenantId,
    key_record::{KeyRecord, TenantRecord},
};

use crate::{
    cache::{CachedKey, KeyCache, KeyTenant, LookedUp, Lookup, SourceError},
    clock::Runtime,
    cluster::{Lease, LeaseState, NoLease},
};

/// The database, where keys are looked up that are not cached.
#[expect(
    async_fn_in_trait,
    reason = "the simulation's futures are not Send, and every other use is checked where it is spawned"
)]
pub trait KeySource {
    async fn find_key(&self, hash: &SecretHash) -> Result<Option<KeyRecord>, SourceError>;

    async fn find_tenant(&self, id: &TenantId) -> Result<Option<TenantRecord>, SourceError>;
}

/// Why a secret could not be looked up. Nothing is known about it then.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LookUpError {
    #[error("the node has not reached the database for so long that its lease has expired")]
    NoLease,
    #[error(transparent)]
    Source(SourceError),
}

/// The result of a lookup without a query.
pub enum CacheLookup {
    Key(Arc<CachedKey>),
    NoKey,
    /// The database must be queried.
    Unknown(LookUp),
}

/// The way to query the database for a secret.
#[derive(Debug, Clone, Copy)]
pub struct LookUp {
    lease_state: LeaseState,
    /// The secret was found before, and something has changed since.
    pub is_outdated: bool,
}

/// Returns the key of a secret, or none if there is none.
///
/// # Errors
/// If the lease has expired or the database fails.
pub async fn find_key<W: KeySource + Runtime>(
    world: &W,
    lease: &Lease,
    cache: &KeyCache,
    hash: &SecretHash,
) -> Result<Option<Arc<CachedKey>>, LookUpError> {
    match recall(world, lease, cache, hash).await? {
        CacheLookup::Key(cached_key) => Ok(Some(cached_key)),
        CacheLookup::NoKey => Ok(None),
        CacheLookup::Unknown(how) => Box::pin(look_up(world, cache, hash, how)).await,
    }
}

/// Returns what the cache holds for a secret, if it may be used.
///
/// The order matters. The lease is checked first: every change confirmed before that instant has been applied. Only
/// then is the cache read, and it holds only rows that were read behind an unmoved fence.
///
/// # Errors
/// If the lease has expired.
pub async fn recall<W: Runtime>(
    world: &W,
    lease: &Lease,
    cache: &KeyCache,
    hash: &SecretHash,
) -> Result<CacheLookup, LookUpError> {
    let now = world.ticks();
    world.stall().await;
    let lease_state = lease.check(now).map_err(|NoLease| LookUpError::NoLease)?;
    world.stall().await;
    if lease_state == LeaseState::Database {
        return Ok(CacheLookup::Unknown(LookUp { lease_state, is_outdated: false }));
    }
    Ok(match cache.recall(hash, now) {
        Lookup::Key(cached_key) => CacheLookup::Key(cached_key),
        Lookup::Absent => CacheLookup::NoKey,
        Lookup::Outdated => CacheLookup::Unknown(LookUp { lease_state, is_outdated: true }),
        Lookup::Unknown => CacheLookup::Unknown(LookUp { lease_state, is_outdated: false }),
    })
}

/// Queries the database for a secret that [`recall`] does not know, together with concurrent look-ups of the same secret.
///
/// Callers box it. As a part of the evaluation's own future it would be moved about with every answer from the cache, which is
/// some thousand bytes.
///
/// # Errors
/// If the database fails.
pub async fn look_up<W: KeySource + Runtime>(
    world: &W,
    cache: &KeyCache,
    hash: &SecretHash,
    LookUp { lease_state, .. }: LookUp,
) -> Result<Option<Arc<CachedKey>>, LookUpError> {
    if lease_state == LeaseState::Database {
        return read_key(world, cache, hash, lease_state).await.map_err(LookUpError::Source);
    }
    let fence = cache.fence();
    cache.look_up(hash, fence, read_key(world, cache, hash, lease_state)).await.map_err(LookUpError::Source)
}

/// Queries the database, and caches the result if the cache is in use.
async fn read_key<W: KeySource + Runtime>(
    world: &W,
    cache: &KeyCache,
    hash: &SecretHash,
    lease_state: LeaseState,
) -> LookedUp {
    let fence = cache.fence();
    world.stall().await;
    let found = world.find_key(hash).await?;
    let now = world.ticks();
    let Some(found) = found else {
        cache.keep_absent(fence, hash, now);
        return Ok(None);
    };
    let cached_tenant = cache.depend_on_tenant(&found.tenant, now);
    world.stall().await;
    let known = if lease_state == LeaseState::Cache { cached_tenant.tenant() } else { None };
    let tenant = match known {
        Some(tenant) => tenant,
        None => {
            let Some(tenant) = world.find_tenant(&found.tenant).await? else { return Ok(None) };
            let tenant = Arc::new(KeyTenant::new(tenant));
            if lease_state == LeaseState::Cache {
                cache.keep_tenant(fence, &cached_tenant, &tenant);
            }
            tenant
        }
    };
    world.stall().await;
    let cached_key = Arc::new(cache.build_key(found, tenant, cached_tenant, now));
    if lease_state == LeaseState::Cache {
        cache.keep(fence, hash, &cached_key);
    }
    Ok(Some(cached_key))
}
