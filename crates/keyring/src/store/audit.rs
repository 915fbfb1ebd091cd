//! The audit log, and the transaction in which audited changes are written.

use std::{sync::Arc, time::Instant};

use ::verify::{Clock, await_acknowledgements};
use chrono::{DateTime, Utc};
use domain::{
    audit::Action,
    cluster::Invalidation,
    digest::Sha256Hex,
    id::{Id, TenantId},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use serde_json::Value;
use sql::{Pool, WriteTransaction};

use super::{
    Database, Result, StoreError,
    database::Topology,
    entity::{audit_chain, audit_event},
    nodes::{self, Tables},
};
use crate::{access::Actor, error::Error, node::Confirmations, secret_keys::SecretKeys};

mod change_limit;
pub(crate) mod log;
pub(super) mod seal;
pub(crate) mod verify;

/// Which chain of audit rows a change belongs to.
pub(crate) enum Chain<'a> {
    Tenant(&'a TenantId),
    /// What belongs to no tenant, such as super users.
    Platform,
}

impl Chain<'_> {
    fn id(&self) -> &str {
        match self {
            Self::Tenant(id) => id.as_str(),
            Self::Platform => "platform",
        }
    }
}

/// The content of an audit row.
pub(crate) struct Event<'a> {
    pub(crate) action: Action,
    pub(crate) subject: Subject<'a>,
    pub(crate) detail: Value,
}

/// What was changed, with the name that it had then.
pub(crate) struct Subject<'a> {
    id: &'a str,
    name: &'a str,
}

impl<'a> Subject<'a> {
    pub(crate) const INSTALLATION: Subject<'static> = Subject { id: "installation", name: "Installation" };
    const AUDIT_LOG: Subject<'static> = Subject { id: "audit_log", name: "Audit log" };

    pub(crate) fn new(id: &'a impl Id, name: &'a str) -> Self {
        Self { id: id.as_str(), name }
    }
}

/// A transaction that ends in an audit row: there is no other way to commit it. The row names the actor, who was
/// checked when the change began.
///
/// It locks its chain's row from the start, so the changes of one tenant are serialized, and what a use case reads
/// through it stays true until the commit. Dropping it changes nothing.
pub(crate) struct Change {
    transaction: WriteTransaction,
    chain: audit_chain::Model,
    actor: Actor,
    now: DateTime<Utc>,
    secret_keys: Arc<SecretKeys>,
    /// The keys that it gives more or less than they had.
    invalidations: Vec<Invalidation>,
    pool: Pool,
    audience: Topology,
    confirmed: Arc<Confirmations>,
}

impl Change {
    /// Locks the chain, then checks that the actor still has the access that the change needs.
    pub(crate) async fn begin(
        database: &Database,
        chain: Chain<'_>,
        actor: &Actor,
        clock: &Clock,
    ) -> std::result::Result<Self, Error> {
        let secret_keys = database.secret_keys()?;
        let transaction = database.begin().await?;
        let chain = lock(transaction.on(), chain.id()).await?;
        // A super user acts on a tenant's chain. No transaction waits for a tenant's chain while it holds another, so
        // this cannot deadlock.
        if let Some(home) = actor.home().filter(|home| home.id() != chain.id) {
            lock_shared(transaction.on(), home.id()).await?;
        }
        let (pool, audience, confirmed) = (database.pool().clone(), database.audience(), database.confirmed().clone());
        let now = match (&audience, clock) {
            // By the cluster's clock: a grace period that ends by a clock that is ahead would last too long.
            (Topology::Nodes, Clock::System) => nodes::time(transaction.on()).await?,
            _ => clock.now(),
        };
        let actor = actor.recheck(transaction.on(), now).await?;
        Ok(Self { transaction, chain, actor, now, secret_keys, invalidations: Vec::new(), pool, audience, confirmed })
    }

    /// What the stores write through.
    pub(crate) fn on(&self) -> &DatabaseTransaction {
        self.transaction.on()
    }

    /// Who makes this change.
    pub(crate) fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The instant that everything in this change is stamped with.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// What encrypts and decrypts within this change.
    pub(crate) fn secret_keys(&self) -> &SecretKeys {
        &self.secret_keys
    }

    /// Commits, and returns once no node accepts a key under the old state. This continues even if the caller is
    /// cancelled.
    pub(crate) async fn commit(mut self, event: Event<'_>) -> std::result::Result<(), Error> {
        change_limit::check(&self, event.action).await?;
        self.append_event(event).await?;
        let carried_out = tokio::spawn(self.apply()).await;
        let outcome = carried_out.map_err(|stopped| StoreError::Database(DbErr::Custom(stopped.to_string())))?;
        Ok(outcome?)
    }

    /// Handles a change that another caller has already made: returns once no node accepts a key under the old state,
    /// since the other change may still be waiting for that.
    pub(crate) async fn already_made(self) -> Result<()> {
        if let Topology::Nodes = self.audience {
            let revision = nodes::latest(self.transaction.on()).await?;
            self.transaction.rollback().await?;
            await_acknowledgements(&Tables::new(self.pool.connection(), &Clock::System), revision).await;
        }
        Ok(())
    }

    /// A change whose outcome is unknown may have been committed, so it is applied like one that was.
    async fn apply(self) -> Result<()> {
        let Self { transaction, chain, invalidations, pool, audience, confirmed, .. } = self;
        let revision = match audience {
            Topology::Nodes if !invalidations.is_empty() => {
                Some(nodes::append_changes(transaction.on(), &invalidations).await?)
            }
            _ => None,
        };
        let outcome = match transaction.commit().await.map_err(StoreError::from) {
            Ok(()) => check_recorded(&pool, &chain).await,
            Err(StoreError::OutcomeUnknown(cause)) => Err(StoreError::OutcomeUnknown(cause)),
            Err(rolled_back) => return Err(rolled_back),
        };
        let committed_at = Instant::now();
        if let Topology::Ourselves(Some(cache)) = &audience {
            invalidations.iter().for_each(|invalidation| cache.raise_fence().invalidate(invalidation));
        }
        if let Some(revision) = revision {
            await_acknowledgements(&Tables::new(pool.connection(), &Clock::System), revision).await;
        }
        if !invalidations.is_empty() {
            confirmed.note(committed_at.elapsed());
        }
        outcome
    }

    /// Adds an event, for a change with more than one.
    pub(crate) async fn append_event(&mut self, event: Event<'_>) -> Result<()> {
        self.invalidations.extend(
            invalidation_of(&event, &self.chain.id).filter(|invalidations| !self.invalidations.contains(invalidations)),
        );
        let Self { transaction, secret_keys, chain, actor, now, .. } = self;
        self.chain = append_event(transaction.on(), secret_keys, chain, actor, event, *now).await?;
        Ok(())
    }
}

/// Writes an event at the end of a chain whose row is locked, and returns the chain as it ends now.
async fn append_event(
    transaction: &DatabaseTransaction,
    keys: &SecretKeys,
    chain: &audit_chain::Model,
    actor: &Actor,
    event: Event<'_>,
    now: DateTime<Utc>,
) -> Result<audit_chain::Model> {
    let row = audit_event::Model {
        chain_id: chain.id.clone(),
        sequence: chain.length + 1,
        at: now,
        actor: actor.id.clone(),
        actor_name: actor.name.clone(),
        action: event.action.as_str().to_owned(),
        subject: event.subject.id.to_owned(),
        subject_name: event.subject.name.to_owned(),
        address: actor.address.map(|address| address.to_string()),
        detail: event.detail.to_string(),
        hash: String::new(),
        key_id: Some(keys.first_id().to_owned()),
    };
    let Some(hash) = hash_after(keys, &chain.hash, &row) else { unreachable!("the first key is always known") };
    audit_chain::Entity::update_many()
        .col_expr(audit_chain::Column::Length, Expr::value(row.sequence))
        .col_expr(audit_chain::Column::Hash, Expr::value(hash.clone()))
        .filter(audit_chain::Column::Id.eq(&row.chain_id))
        .exec(transaction)
        .await?;
    let chain = audit_chain::Model { length: row.sequence, hash: hash.clone(), ..chain.clone() };
    let row = audit_event::Model { hash, ..row };
    audit_event::Entity::insert(audit_event::ActiveModel::from(row)).exec(transaction).await?;
    Ok(chain)
}

/// Whose keys an event gives more or less than they had.
fn invalidation_of(event: &Event<'_>, chain: &str) -> Option<Invalidation> {
    let subject = || Invalidation::parse(event.subject.id);
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
        | Action::AuditSealed
        | Action::SecretKeyRotated => None,
    }
}

/// Reads the last event of a change over another connection: only then do the caches forget what it replaced, and only
/// then is it answered.
async fn check_recorded(pool: &Pool, chain: &audit_chain::Model) -> Result<()> {
    let recorded = audit_event::Entity::find_by_id((chain.id.clone(), chain.length)).one(pool.connection()).await;
    match recorded {
        Ok(Some(event)) if event.hash == chain.hash => Ok(()),
        Ok(_) => Err(StoreError::OutcomeUnknown(DbErr::RecordNotFound("the change after its commit".to_owned()))),
        Err(cause) => Err(StoreError::OutcomeUnknown(cause)),
    }
}

/// Takes the chain's row, and makes it when this is the first change. Others wait here until we are done.
async fn lock(transaction: &DatabaseTransaction, id: &str) -> Result<audit_chain::Model> {
    let first = audit_chain::ActiveModel { id: Set(id.to_owned()), length: Set(0), hash: Set(String::new()) };
    audit_chain::Entity::insert(first)
        .on_conflict(
            // Updating to the same value locks the row on PostgreSQL; "do nothing" would not.
            OnConflict::column(audit_chain::Column::Id).update_column(audit_chain::Column::Id).to_owned(),
        )
        .exec_without_returning(transaction)
        .await?;
    let found = audit_chain::Entity::find_by_id(id).one(transaction).await?;
    found.ok_or_else(|| super::StoreError::Unreadable { what: "an audit chain", value: id.to_owned() })
}

/// Locks a chain's row against changes, together with other readers. SQLite has one writer at a time anyway.
async fn lock_shared(transaction: &DatabaseTransaction, id: &str) -> Result<()> {
    audit_chain::Entity::find_by_id(id).lock_shared().one(transaction).await?;
    Ok(())
}

/// Returns the hash of a row that follows another: an HMAC, which cannot be computed without the key. Rows of earlier
/// versions have no key and a plain SHA-256. `None` if the row's key is unknown.
fn hash_after(keys: &SecretKeys, previous: &str, row: &audit_event::Model) -> Option<String> {
    let fields = [
        previous,
        &row.chain_id,
        &row.sequence.to_string(),
        &row.at.timestamp_millis().to_string(),
        &row.actor,
        &row.actor_name,
        &row.action,
        &row.subject,
        &row.subject_name,
        &row.address.as_ref().map_or_else(|| "none".to_owned(), |address| format!("from {address}")),
        &row.detail,
    ];
    // Every field is length-prefixed, so that two different rows never make the same text.
    let text: String = fields.iter().map(|field| format!("{}:{field}\n", field.len())).collect();
    match &row.key_id {
        Some(key_id) => keys.audit_mac(key_id, &text),
        None => Some(Sha256Hex::of(&text).as_str().to_owned()),
    }
}

/// Who changed a subject last, and when.
pub(crate) async fn last_change(
    connection: &impl ConnectionTrait,
    tenant: &TenantId,
    subject: &str,
) -> Result<Option<(String, DateTime<Utc>)>> {
    let row = audit_event::Entity::find()
        .filter(audit_event::Column::ChainId.eq(Chain::Tenant(tenant).id()))
        .filter(audit_event::Column::Subject.eq(subject))
        .order_by_desc(audit_event::Column::Sequence)
        .one(connection)
        .await?;
    Ok(row.map(|row| (row.actor_name, row.at)))
}
