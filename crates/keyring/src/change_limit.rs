//! Limits how many changes a person makes in the console, so that no session can flood the audit log.

use chrono::TimeDelta;
use domain::audit::Action;
use store::AuditedTransaction;

use crate::{access::Actor, error::Error};

/// The number of changes that a person can make in one tenant within [`CHANGE_WINDOW`].
const MAX_CHANGES: u64 = 60;

const CHANGE_WINDOW: TimeDelta = TimeDelta::minutes(1);

/// Refuses a change of a person who has made [`MAX_CHANGES`] within the last minute. The chain is locked, so concurrent
/// changes are counted. Changes that remove access are always allowed, and so are the shell and the program itself.
pub(crate) async fn check(change: &AuditedTransaction, actor: &Actor, action: Action) -> Result<(), Error> {
    if !actor.has_session() || action.removes_access() {
        return Ok(());
    }
    let Some(oldest_counted) = change.nth_latest_change(MAX_CHANGES).await? else { return Ok(()) };
    match (oldest_counted + CHANGE_WINDOW - change.now()).to_std() {
        Ok(retry_after) if !retry_after.is_zero() => Err(Error::TooManyChanges { retry_after }),
        _ => Ok(()),
    }
}
