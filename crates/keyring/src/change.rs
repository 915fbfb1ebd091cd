//! Changes: audited transactions that return only once no node uses the old state.

use std::{ops::Deref, sync::Arc, time::Instant};

use domain::{
    audit::Action,
    cluster::Invalidation,
    id::{Id, TenantId},
};
use sql::Pool;
use store::{
    AuditedTransaction, Chain, Event, Failure, LockedChain, RecordedTransaction, StoreError,
    cluster::{self, Tables},
};
use verify::{Clock, KeyCache, await_acknowledgements};

use crate::{
    Keyring, access::Actor, change_limit, cluster_tables::ClusterTables, confirmations::Confirmations, error::Error,
};

/// A transaction that cannot be committed without an audit event, in the name of an actor who was checked when it began. Once
/// it has been committed, it waits until no node accepts a key under the old state.
pub(crate) struct Change {
    audited: AuditedTransaction,
    actor: Actor,
    /// The cache entries to invalidate on all nodes.
    invalidations: Vec<Invalidation>,
    caches: Caches,
    confirmations: Arc<Confirmations>,
}

/// The nodes that must apply a change before it returns.
#[derive(Clone)]
enum Caches {
    /// This process alone, which owns the database file.
    Own(Arc<KeyCache>),
    /// Every node on the same server.
    AllNodes(Pool),
}

impl Deref for Change {
    type Target = AuditedTransaction;

    fn deref(&self) -> &AuditedTransaction {
        &self.audited
    }
}

impl Keyring {
    /// Locks the chain, then checks that the actor still has the access that the change needs.
    pub(crate) async fn begin_change(&self, chain: Chain<'_>, actor: &Actor) -> Result<Change, Error> {
        let locked = LockedChain::lock(&self.database, chain).await?;
        // A super user acts on a tenant's chain, and their own account must not change either.
        if let Some(home) = actor.home() {
            locked.lock_shared(home).await?;
        }
        let caches = if self.database.is_shared() {
            Caches::AllNodes(self.database.pool().clone())
        } else {
            Caches::Own(self.evaluator.cache().clone())
        };
        let now = match (&caches, &self.clock) {
            // The cluster's clock, so that a grace period does not outlast the clock of a node that runs ahead.
            (Caches::AllNodes(_), Clock::System) => cluster::time(locked.on()).await?,
            _ => self.clock.now(),
        };
        let actor = actor.recheck(locked.on(), now).await?;
        let audited = locked.begin_change(actor.audit(), now);
        let confirmations = self.confirmations.clone();
        Ok(Change { audited, actor, invalidations: Vec::new(), caches, confirmations })
    }
}

impl Change {
    /// Returns the actor of this change.
    pub(crate) fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Adds an event, for a change with more than one.
    pub(crate) async fn append_event(&mut self, event: Event<'_>) -> Result<(), StoreError> {
        self.invalidate(&event);
        self.audited.append_event(event).await
    }

    /// Commits, and returns once no node accepts a key under the old state. This continues even if the caller is
    /// cancelled.
    pub(crate) async fn commit(mut self, event: Event<'_>) -> Result<(), Error> {
        change_limit::check(&self.audited, &self.actor, event.action).await?;
        self.invalidate(&event);
        let Self { audited, invalidations, caches, confirmations, .. } = self;
        let recorded = audited.record(event).await?;
        let applied = tokio::spawn(apply(recorded, invalidations, caches, confirmations)).await;
        Ok(applied.map_err(|stopped| StoreError::Stopped(stopped.to_string()))??)
    }

    /// Handles a change that another caller has already made: returns once no node accepts a key under the old state,
    /// since the other change may still be waiting for that.
    pub(crate) async fn already_made(self) -> Result<(), StoreError> {
        if let Caches::AllNodes(pool) = &self.caches {
            let revision = cluster::latest(self.audited.on()).await?;
            self.audited.rollback().await?;
            await_acknowledgements(&cluster_tables(pool), revision).await;
        }
        Ok(())
    }

    fn invalidate(&mut self, event: &Event<'_>) {
        let new = invalidation_of(event, self.audited.chain_id());
        self.invalidations.extend(new.filter(|invalidation| !self.invalidations.contains(invalidation)));
    }
}

fn cluster_tables(pool: &Pool) -> ClusterTables<'_> {
    ClusterTables::new(Tables::new(pool.connection()), &Clock::System)
}

/// Commits a change and applies it to the caches. One whose outcome is unknown may have been committed, so it is applied as
/// well.
async fn apply(
    recorded: RecordedTransaction,
    invalidations: Vec<Invalidation>,
    caches: Caches,
    confirmations: Arc<Confirmations>,
) -> Result<(), StoreError> {
    let revision = match &caches {
        Caches::AllNodes(_) if !invalidations.is_empty() => {
            Some(cluster::append_changes(recorded.on(), &invalidations).await?)
        }
        _ => None,
    };
    let outcome = recorded.commit().await;
    if let Err(cause) = &outcome
        && cause.failure() != Failure::OutcomeUnknown
    {
        return outcome;
    }
    let committed_at = Instant::now();
    if let Caches::Own(cache) = &caches {
        invalidations.iter().for_each(|invalidation| cache.raise_fence().invalidate(invalidation));
    }
    if let (Some(revision), Caches::AllNodes(pool)) = (revision, &caches) {
        await_acknowledgements(&cluster_tables(pool), revision).await;
    }
    if !invalidations.is_empty() {
        confirmations.record(committed_at.elapsed());
    }
    outcome
}

/// Returns what an event invalidates in the caches of all nodes.
fn invalidation_of(event: &Event<'_>, chain: &str) -> Option<Invalidation> {
    let subject = || Invalidation::parse(event.subject.id());
    let tenant = || TenantId::parse(chain).ok().map(Invalidation::Tenant);
    match event.action {
        Action::KeyEdited
        | Action::KeyRotated
        | Action::KeyGraceEnded
        | Action::KeyRevoked
        | Action::KeyDeleted
        | Action::PersonRenamed
        | Action::PersonRoleChanged
        | Action::PersonDeactivated
        | Action::PersonReactivated
        | Action::TenantChanged => subject(),
        Action::PropertyCreated
        | Action::PropertyRenamed
        | Action::PropertyArchived
        | Action::PropertyRestored
        | Action::GroupCreated
        | Action::GroupEdited
        | Action::GroupDeleted => tenant(),
        // A new row cannot be cached anywhere yet.
        Action::TenantCreated | Action::KeyGenerated => None,
        Action::TenantEntered
        | Action::TenantLeft
        | Action::PersonCreated
        | Action::PersonInvited
        | Action::PersonLinkMade
        | Action::PersonJoined
        | Action::PasswordSet
        | Action::PasswordChanged
        | Action::SecondFactorOn
        | Action::SecondFactorOff
        | Action::SecondFactorReset
        | Action::RecoveryCodesRenewed
        | Action::SignInsFailed
        | Action::SessionOpened
        | Action::IdentityConfirmed
        | Action::SessionEnded
        | Action::SessionsEnded
        | Action::PermissionAdded
        | Action::PermissionRemoved
        | Action::AuditSealed
        | Action::SecretKeyRotated => None,
    }
}
