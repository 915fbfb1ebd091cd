//! Sealing the chains that an earlier version wrote without a key.

use chrono::{DateTime, Utc};
use domain::audit::Action;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;

use super::{
    super::{
        Result, SqlError,
        entity::{audit_chain, audit_event},
    },
    Event, Subject, append_event, lock,
};
use crate::{model::AuditActor, secret_keys::SecretKeys};

/// Ends each chain that has events with a keyed one. From then on, rewriting what came before takes the key. There must be
/// no keyed event yet.
pub async fn seal_chains(transaction: &DatabaseTransaction, keys: &SecretKeys, now: DateTime<Utc>) -> Result<()> {
    let keyed = audit_event::Entity::find().filter(audit_event::Column::KeyId.is_not_null()).one(transaction).await?;
    if let Some(event) = keyed {
        // The check value was removed. Sealing now would vouch for chains that may have been rewritten.
        let what = "an audit event with a key but no secret key check";
        return Err(SqlError::Unreadable { what, value: format!("{} of {}", event.sequence, event.chain_id) }.into());
    }
    let chains = audit_chain::Entity::find()
        .filter(audit_chain::Column::Length.gt(0))
        .order_by_asc(audit_chain::Column::Id)
        .all(transaction)
        .await?;
    for chain in chains {
        let chain = lock(transaction, &chain.id).await?;
        let detail = json!({ "events": chain.length, "hash": chain.hash });
        let event = Event { action: Action::AuditSealed, subject: Subject::AUDIT_LOG, detail };
        append_event(transaction, keys, &chain, &AuditActor::program(), event, now).await?;
    }
    Ok(())
}
