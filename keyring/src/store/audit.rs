//! The audit log, and the transaction that everything it tells of is written in.

use std::{sync::Arc, time::Instant};

use chrono::{DateTime, Utc};
use domain::{
    audit::Action,
    id::{Id, TenantId},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, OnConflict},
};
use serde_json::Value;
use tokio::sync::OwnedMutexGuard;

use super::{
    Database, Result, StoreError,
    database::Audience,
    entity::{audit_chain, audit_event},
    nodes::{self, Tables},
};
use crate::{access::Actor, clock::Clock, memory::Touched, node::Confirmations, nodes::confirm, secret::Sha256Hex};

pub(crate) mod log;
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

/// What an audit row tells.
pub(crate) struct Event<'a> {
    pub(crate) actor: &'a Actor,
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
    pub(crate) fn new(id: &'a impl Id, name: &'a str) -> Self {
        Self { id: id.as_str(), name }
    }
}

/// A transaction that ends in an audit row: there is no other way to commit it.
///
/// It holds its chain's row from the start, so the changes of one tenant happen one after the other, and
/// whatever a use case reads through it stays true until it commits. Dropped, it changes nothing.
pub(crate) struct Change {
    transaction: DatabaseTransaction,
    chain: audit_chain::Model,
    now: DateTime<Utc>,
    /// The keys that it gives more or less than they had.
    touched: Vec<Touched>,
    audience: Audience,
    confirmed: Arc<Confirmations>,
    /// After the transaction, so that it is over before the next writer's begins.
    _turn: Option<OwnedMutexGuard<()>>,
}

impl Change {
    pub(crate) async fn begin(database: &Database, chain: Chain<'_>, clock: &Clock) -> Result<Self> {
        let (transaction, turn) = database.begin().await?;
        let chain = lock(&transaction, chain.id()).await?;
        let (audience, confirmed) = (database.audience(), database.confirmed().clone());
        let now = match (&audience, clock) {
            // By the clock that all nodes go by: what ends now by one that is ahead would be good for longer.
            (Audience::Nodes(_), Clock::Machine) => nodes::time(&transaction).await?,
            _ => clock.now(),
        };
        Ok(Self { transaction, chain, now, touched: Vec::new(), audience, confirmed, _turn: turn })
    }

    /// What the stores write through.
    pub(crate) fn on(&self) -> &DatabaseTransaction {
        &self.transaction
    }

    /// The instant that everything in this change is stamped with.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Writes it all, and sees to it that nobody lets a key in on the old terms once this has returned. That goes on
    /// even when whoever asked for the change goes away meanwhile.
    pub(crate) async fn commit(mut self, event: Event<'_>) -> Result<()> {
        self.note(event).await?;
        let carried_out = tokio::spawn(self.carry_out()).await;
        carried_out.map_err(|stopped| StoreError::Database(DbErr::Custom(stopped.to_string())))?
    }

    /// Finds that somebody else has made this change before, and sees to it all the same that nobody lets a key in on
    /// the old terms once this has returned: they may still be waiting for that.
    pub(crate) async fn already_made(self) -> Result<()> {
        if let Audience::Nodes(connection) = &self.audience {
            let revision = nodes::latest(&self.transaction).await?;
            self.transaction.rollback().await?;
            confirm(&Tables::new(connection, &Clock::Machine), revision).await;
        }
        Ok(())
    }

    async fn carry_out(self) -> Result<()> {
        let Self { transaction, touched, audience, confirmed, _turn, .. } = self;
        if touched.is_empty() {
            return Ok(transaction.commit().await?);
        }
        let committed_at = match audience {
            Audience::Ourselves(memory) => {
                let committed = transaction.commit().await;
                let at = Instant::now();
                // Also when it failed: it may have been too late for that.
                memory.iter().for_each(|memory| touched.iter().for_each(|touched| memory.fence_off().forget(touched)));
                committed?;
                at
            }
            Audience::Nodes(connection) => {
                let revision = nodes::announce(&transaction, &touched).await?;
                transaction.commit().await?;
                let at = Instant::now();
                confirm(&Tables::new(&connection, &Clock::Machine), revision).await;
                at
            }
        };
        confirmed.note(committed_at.elapsed());
        Ok(())
    }

    /// Adds a row, for a change that takes more than one to tell.
    pub(crate) async fn note(&mut self, event: Event<'_>) -> Result<()> {
        let row = audit_event::Model {
            chain_id: self.chain.id.clone(),
            sequence: self.chain.length + 1,
            at: self.now,
            actor: event.actor.id.clone(),
            actor_name: event.actor.name.clone(),
            action: event.action.as_str().to_owned(),
            subject: event.subject.id.to_owned(),
            subject_name: event.subject.name.to_owned(),
            address: event.actor.address.map(|address| address.to_string()),
            detail: event.detail.to_string(),
            hash: String::new(),
        };
        let hash = hash_after(&self.chain.hash, &row);
        audit_chain::Entity::update_many()
            .col_expr(audit_chain::Column::Length, Expr::value(row.sequence))
            .col_expr(audit_chain::Column::Hash, Expr::value(hash.clone()))
            .filter(audit_chain::Column::Id.eq(&row.chain_id))
            .exec(&self.transaction)
            .await?;
        self.chain = audit_chain::Model { length: row.sequence, hash: hash.clone(), ..self.chain.clone() };
        self.touched.extend(touched_by(&event, &self.chain.id).filter(|touched| !self.touched.contains(touched)));
        let row = audit_event::Model { hash, ..row };
        audit_event::Entity::insert(audit_event::ActiveModel::from(row)).exec(&self.transaction).await?;
        Ok(())
    }
}

/// Whose keys an event gives more or less than they had.
fn touched_by(event: &Event<'_>, chain: &str) -> Option<Touched> {
    let subject = || Touched::parse(event.subject.id);
    let tenant = || TenantId::parse(chain).ok().map(Touched::Tenant);
    match event.action {
        Action::KeyEdited
        | Action::KeyRotated
        | Action::KeyGraceEnded
        | Action::KeyRevoked
        | Action::KeyDeleted
        | Action::PersonRenamed
        | Action::PersonRoleChanged
        | Action::PersonSwitchedOff
        | Action::PersonSwitchedOn
        | Action::TenantChanged => subject(),
        Action::PropertyCreated
        | Action::PropertyRenamed
        | Action::PropertyArchived
        | Action::PropertyRestored
        | Action::GroupCreated
        | Action::GroupEdited
        | Action::GroupDeleted => tenant(),
        // Nobody can have asked about what is new.
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
        | Action::SessionOpened
        | Action::SessionEnded
        | Action::SessionsEnded => None,
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

/// Every field is length-prefixed, so that no two different rows hash alike.
fn hash_after(previous: &str, row: &audit_event::Model) -> String {
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
    let text: String = fields.iter().map(|field| format!("{}:{field}\n", field.len())).collect();
    Sha256Hex::of(&text).as_str().to_owned()
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
