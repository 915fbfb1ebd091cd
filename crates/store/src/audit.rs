//! The audit log, and the transaction that writes audited changes.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{
    audit::Action,
    digest::Sha256Hex,
    id::{Id, TenantId},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use serde_json::Value;
use sql::{Pool, SqlError, WriteTransaction};

use super::{
    Database, Result, StoreError,
    entity::{audit_chain, audit_event},
};
use crate::{model::AuditActor, secret_keys::SecretKeys};

pub mod log;
pub(super) mod seal;
pub mod verify;

/// The audit chain that a change belongs to.
pub enum Chain<'a> {
    Tenant(&'a TenantId),
    /// The chain of changes outside of any tenant, such as those to super users.
    Platform,
}

impl<'a> Chain<'a> {
    /// Returns the chain for changes of a tenant, or of what belongs to none.
    #[must_use]
    pub fn of_home(tenant: Option<&'a TenantId>) -> Self {
        tenant.map_or(Self::Platform, Self::Tenant)
    }

    fn id(&self) -> &str {
        match self {
            Self::Tenant(id) => id.as_str(),
            Self::Platform => "platform",
        }
    }
}

/// The content of an audit row.
pub struct Event<'a> {
    pub action: Action,
    pub subject: Subject<'a>,
    pub detail: Value,
}

/// The changed object, with its name at the time.
pub struct Subject<'a> {
    id: &'a str,
    name: &'a str,
}

impl<'a> Subject<'a> {
    pub const INSTALLATION: Subject<'static> = Subject { id: "installation", name: "Installation" };
    pub const PERMISSIONS: Subject<'static> = Subject { id: "permissions", name: "Permission catalog" };
    const AUDIT_LOG: Subject<'static> = Subject { id: "audit_log", name: "Audit log" };

    pub fn new(id: &'a impl Id, name: &'a str) -> Self {
        Self { id: id.as_str(), name }
    }

    #[must_use]
    pub fn id(&self) -> &str {
        self.id
    }
}

/// A chain that is locked by a transaction, so the changes on it are serialized.
pub struct LockedChain {
    transaction: WriteTransaction,
    chain: audit_chain::Model,
    secret_keys: Arc<SecretKeys>,
    pool: Pool,
}

impl LockedChain {
    /// Begins a transaction and locks the chain.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn lock(database: &Database, chain: Chain<'_>) -> Result<Self> {
        let secret_keys = database.secret_keys()?;
        let transaction = database.begin().await?;
        let chain = lock(transaction.on(), chain.id()).await?;
        Ok(Self { transaction, chain, secret_keys, pool: database.pool().clone() })
    }

    /// Locks another chain against changes, together with other readers.
    ///
    /// No transaction waits for a tenant's chain while it holds another, so this cannot deadlock.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn lock_shared(&self, chain: Chain<'_>) -> Result<()> {
        if chain.id() != self.chain.id {
            lock_shared(self.transaction.on(), chain.id()).await?;
        }
        Ok(())
    }

    #[must_use]
    pub fn on(&self) -> &DatabaseTransaction {
        self.transaction.on()
    }

    /// Begins to write in the name of an actor, who must have been checked after the chain was locked.
    #[must_use]
    pub fn begin_change(self, actor: AuditActor, now: DateTime<Utc>) -> AuditedTransaction {
        let Self { transaction, chain, secret_keys, pool } = self;
        AuditedTransaction { transaction, chain, actor, now, secret_keys, pool }
    }
}

/// A transaction that cannot be committed without an audit event. The event names the actor.
///
/// It holds the lock of its chain, so what is read through it stays true until the commit. Dropping it changes nothing.
pub struct AuditedTransaction {
    transaction: WriteTransaction,
    chain: audit_chain::Model,
    actor: AuditActor,
    now: DateTime<Utc>,
    secret_keys: Arc<SecretKeys>,
    pool: Pool,
}

impl AuditedTransaction {
    /// The connection that all statements of the change use.
    #[must_use]
    pub fn on(&self) -> &DatabaseTransaction {
        self.transaction.on()
    }

    /// The instant that everything in this change is stamped with.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The keys that encrypt and decrypt within this change.
    #[must_use]
    pub fn secret_keys(&self) -> &SecretKeys {
        &self.secret_keys
    }

    /// The id of the chain: a tenant's id, or `platform`.
    #[must_use]
    pub fn chain_id(&self) -> &str {
        &self.chain.id
    }

    /// Returns when the actor made their `count`th change from the last, if they made so many. Sign-ins do not count.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn nth_latest_change(&self, count: u64) -> Result<Option<DateTime<Utc>>> {
        let event = audit_event::Entity::find()
            .filter(audit_event::Column::ChainId.eq(&self.chain.id))
            .filter(audit_event::Column::Actor.eq(&self.actor.id))
            .filter(audit_event::Column::Action.ne(Action::SessionOpened.as_str()))
            .order_by_desc(audit_event::Column::Sequence)
            .offset(count - 1)
            .one(self.on())
            .await?;
        Ok(event.map(|event| event.at))
    }

    /// Adds an event, for a change with more than one.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn append_event(&mut self, event: Event<'_>) -> Result<()> {
        let Self { transaction, secret_keys, chain, actor, now, .. } = self;
        self.chain = append_event(transaction.on(), secret_keys, chain, actor, event, *now).await?;
        Ok(())
    }

    /// Adds the last event, after which the change can be committed.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn record(mut self, event: Event<'_>) -> Result<RecordedTransaction> {
        self.append_event(event).await?;
        let Self { transaction, chain, pool, .. } = self;
        Ok(RecordedTransaction { transaction, chain, pool })
    }

    /// # Errors
    /// If the database fails.
    pub async fn rollback(self) -> Result<()> {
        Ok(self.transaction.rollback().await?)
    }
}

/// An audited transaction with its event, ready to be committed.
pub struct RecordedTransaction {
    transaction: WriteTransaction,
    chain: audit_chain::Model,
    pool: Pool,
}

impl RecordedTransaction {
    #[must_use]
    pub fn on(&self) -> &DatabaseTransaction {
        self.transaction.on()
    }

    /// Commits, and checks over another connection that the event is there.
    ///
    /// # Errors
    /// [`SqlError::OutcomeUnknown`] if the change may have been committed, any other error if it was not.
    pub async fn commit(self) -> Result<()> {
        let Self { transaction, chain, pool } = self;
        match transaction.commit().await.map_err(StoreError::from) {
            Ok(()) => check_recorded(&pool, &chain).await,
            Err(cause) => Err(cause),
        }
    }
}

/// Writes an event at the end of a chain whose row is locked, and returns the chain as it ends now.
async fn append_event(
    transaction: &DatabaseTransaction,
    keys: &SecretKeys,
    chain: &audit_chain::Model,
    actor: &AuditActor,
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

/// Reads the last event of a change over another connection: only then do the caches forget what it replaced, and only
/// then is it answered.
async fn check_recorded(pool: &Pool, chain: &audit_chain::Model) -> Result<()> {
    let recorded = audit_event::Entity::find_by_id((chain.id.clone(), chain.length)).one(pool.connection()).await;
    match recorded {
        Ok(Some(event)) if event.hash == chain.hash => Ok(()),
        Ok(_) => Err(SqlError::OutcomeUnknown(DbErr::RecordNotFound("the change after its commit".to_owned())).into()),
        Err(cause) => Err(SqlError::OutcomeUnknown(cause).into()),
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
    found.ok_or_else(|| super::SqlError::Unreadable { what: "an audit chain", value: id.to_owned() }.into())
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

/// Returns the actor and the time of a subject's last change.
pub async fn last_change(
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
