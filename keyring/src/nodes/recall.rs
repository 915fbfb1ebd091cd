//! What is known of a secret: from memory where that may be believed, else from the database.

use std::sync::Arc;

use domain::id::TenantId;

use super::{Belief, Lease, NoLease, Pace};
use crate::{
    error::Error,
    evaluator::{Found, KeyTenant, Standing},
    memory::{LookedUp, Memory, Recalled},
    secret::SecretHash,
    store::StoreError,
};

/// Where keys are looked up that memory does not know.
pub(crate) trait Source {
    async fn find(&self, hash: &SecretHash) -> Result<Option<Found>, StoreError>;

    async fn tenant(&self, id: &TenantId) -> Result<Option<KeyTenant>, StoreError>;
}

/// What is known of a secret without a query.
pub(crate) enum Known {
    Key(Arc<Standing>),
    NoKey,
    /// Only the database can tell.
    Unknown(LookUp),
}

/// How to ask the database about a secret.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LookUp {
    belief: Belief,
    /// The secret was once found, and something has changed since.
    pub(crate) is_outdated: bool,
}

/// The key of a secret; none when nobody has it.
pub(crate) async fn find_key<W: Source + Pace>(
    world: &W,
    lease: &Lease,
    memory: &Memory,
    hash: &SecretHash,
) -> Result<Option<Arc<Standing>>, Error> {
    match recall(world, lease, memory, hash).await? {
        Known::Key(standing) => Ok(Some(standing)),
        Known::NoKey => Ok(None),
        Known::Unknown(how) => Box::pin(look_up(world, memory, hash, how)).await,
    }
}

/// What memory says of a secret, if it may be believed.
///
/// The order is what makes it right. The lease is checked first: whatever change was answered before that instant is
/// then applied already. Only then memory is looked at, and only what was read behind an unmoved fence comes into it.
pub(crate) async fn recall<W: Pace>(
    world: &W,
    lease: &Lease,
    memory: &Memory,
    hash: &SecretHash,
) -> Result<Known, Error> {
    let now = world.ticks();
    world.stall().await;
    let belief = lease.check(now).map_err(|NoLease| StoreError::NoLease)?;
    world.stall().await;
    if belief == Belief::Database {
        return Ok(Known::Unknown(LookUp { belief, is_outdated: false }));
    }
    Ok(match memory.recall(hash, now) {
        Recalled::Key(standing) => Known::Key(standing),
        Recalled::Nobody => Known::NoKey,
        Recalled::Outdated => Known::Unknown(LookUp { belief, is_outdated: true }),
        Recalled::Nothing => Known::Unknown(LookUp { belief, is_outdated: false }),
    })
}

/// Asks the database about a secret that [`recall`] does not know, together with concurrent callers that ask for the same one.
///
/// It is to be boxed: were it a part of the question itself, each answer from memory would move it about as well, which
/// is some thousand bytes.
pub(crate) async fn look_up<W: Source + Pace>(
    world: &W,
    memory: &Memory,
    hash: &SecretHash,
    LookUp { belief, .. }: LookUp,
) -> Result<Option<Arc<Standing>>, Error> {
    if belief == Belief::Database {
        return read(world, memory, hash, belief).await.map_err(Into::into);
    }
    let fence = memory.fence();
    memory.look_up(hash, fence, read(world, memory, hash, belief)).await.map_err(Into::into)
}

/// Asks the database, and remembers what it said where memory counts.
async fn read<W: Source + Pace>(world: &W, memory: &Memory, hash: &SecretHash, belief: Belief) -> LookedUp {
    let fence = memory.fence();
    world.stall().await;
    let found = world.find(hash).await?;
    let now = world.ticks();
    let Some(found) = found else {
        memory.keep_absent(fence, hash, now);
        return Ok(None);
    };
    let tenancy = memory.rely_on(&found.tenant, now);
    world.stall().await;
    let known = if belief == Belief::Memory { tenancy.tenant() } else { None };
    let tenant = match known {
        Some(tenant) => tenant,
        None => {
            let Some(tenant) = world.tenant(&found.tenant).await?.map(Arc::new) else { return Ok(None) };
            if belief == Belief::Memory {
                memory.keep_tenant(fence, &tenancy, &tenant);
            }
            tenant
        }
    };
    world.stall().await;
    let standing = Arc::new(memory.stand(found, tenant, tenancy, now));
    if belief == Belief::Memory {
        world.stall().await;
        memory.keep(fence, hash, &standing);
    }
    Ok(Some(standing))
}
