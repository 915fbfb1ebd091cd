//! Limits how many changes a person makes in the console, so that no session can flood the audit log.

use chrono::TimeDelta;
use domain::audit::Action;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Change, audit_event};
use crate::{error::Error, store::StoreError};

/// The number of changes that a person can make in one tenant within [`WINDOW`].
const MAX_CHANGES: u64 = 60;

const WINDOW: TimeDelta = TimeDelta::minutes(1);

/// Refuses a change of a person who has made [`MAX_CHANGES`] within the last minute. The chain is locked, so concurrent
/// changes are counted. Changes that remove access are always allowed, and so are the shell and the program itself.
pub(super) async fn check(change: &Change, action: Action) -> Result<(), Error> {
    if !change.actor.has_session() || action.removes_access() {
        return Ok(());
    }
    let oldest_counted = audit_event::Entity::find()
        .filter(audit_event::Column::ChainId.eq(&change.chain.id))
        .filter(audit_event::Column::Actor.eq(&change.actor.id))
        .filter(audit_event::Column::Action.ne(Action::SessionOpened.as_str()))
        .order_by_desc(audit_event::Column::Sequence)
        .offset(MAX_CHANGES - 1)
        .one(change.on())
        .await
        .map_err(StoreError::from)?;
    let Some(event) = oldest_counted else { return Ok(()) };
    match (event.at + WINDOW - change.now).to_std() {
        Ok(retry_after) if !retry_after.is_zero() => Err(Error::TooManyChanges { retry_after }),
        _ => Ok(()),
    }
}
