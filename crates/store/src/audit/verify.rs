//! Walking the chains of audit rows: each row has the hash that follows from it and the one before.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::audit::Action;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    super::{
        Database, Result,
        entity::{audit_chain, audit_event, tenant},
    },
    hash_after,
};
use crate::{
    model::{AuditHead, ChainError, ChainErrorKind},
    secret_keys::SecretKeys,
};

/// The number of rows read per batch.
const PAGE: u64 = 1000;

/// Every chain that exists or should exist: deleting its last trace does not hide one.
pub async fn chains(database: &Database) -> Result<BTreeSet<String>> {
    let connection = database.connection();
    let tenants = tenant::Entity::find().select_only().column(tenant::Column::Id);
    let heads = audit_chain::Entity::find().select_only().column(audit_chain::Column::Id);
    let rows = audit_event::Entity::find().select_only().column(audit_event::Column::ChainId).distinct();
    let mut chains: BTreeSet<String> = tenants.into_tuple().all(connection).await?.into_iter().collect();
    chains.extend(heads.into_tuple::<String>().all(connection).await?);
    chains.extend(rows.into_tuple::<String>().all(connection).await?);
    Ok(chains)
}

/// Returns the last row up to which a chain is whole, none if there is no such row, and what is wrong with the next, as
/// of one instant. Rows that were expected are removed from the list as they are found.
pub async fn walk(
    database: &Database,
    chain: &str,
    expected: &mut Vec<AuditHead>,
) -> Result<(Option<AuditHead>, Option<ChainError>)> {
    let keys = database.secret_keys()?;
    let snapshot = database.snapshot().await?;
    let head = audit_chain::Entity::find_by_id(chain).one(&snapshot).await?;
    let mut walk = ChainWalk { keys: &keys, expected, head, length: 0, hash: String::new(), last: None };
    let fault = walk.verify_to_the_end(&snapshot, chain).await?;
    let last = (walk.length > 0).then_some(AuditHead { sequence: walk.length, hash: walk.hash });
    snapshot.commit().await?;
    Ok((last, fault))
}

/// Returns where each chain says it ends, by its id.
pub async fn heads(database: &Database) -> Result<Vec<(String, AuditHead)>> {
    let chains = audit_chain::Entity::find()
        .filter(audit_chain::Column::Length.gt(0))
        .order_by_asc(audit_chain::Column::Id)
        .all(database.connection())
        .await?;
    let head = |chain: audit_chain::Model| (chain.id, AuditHead { sequence: chain.length, hash: chain.hash });
    Ok(chains.into_iter().map(head).collect())
}

/// The state of a walk along a chain.
struct ChainWalk<'a> {
    keys: &'a SecretKeys,
    expected: &'a mut Vec<AuditHead>,
    /// The recorded head of the chain.
    head: Option<audit_chain::Model>,
    length: i64,
    hash: String,
    /// The time of the last row, and whether it has a key.
    last: Option<(DateTime<Utc>, bool)>,
}

impl ChainWalk<'_> {
    async fn verify_to_the_end(
        &mut self,
        connection: &impl ConnectionTrait,
        chain: &str,
    ) -> Result<Option<ChainError>> {
        loop {
            let rows = after(connection, chain, (self.length > 0).then_some(self.length)).await?;
            if rows.is_empty() {
                return Ok(self.end());
            }
            for row in rows {
                if let Some(flaw) = self.flaw_of(&row) {
                    return Ok(Some(flaw));
                }
                self.expected.retain(|head| (head.sequence, &head.hash) != (row.sequence, &row.hash));
                self.last = Some((row.at, row.key_id.is_some()));
                (self.length, self.hash) = (row.sequence, row.hash);
            }
        }
    }

    fn flaw_of(&self, row: &audit_event::Model) -> Option<ChainError> {
        let next = self.length + 1;
        let fault = |why| Some(ChainError { sequence: row.sequence, at: Some(row.at), why });
        if row.sequence > next {
            return Some(ChainError { sequence: next, at: None, why: ChainErrorKind::Missing });
        }
        if row.sequence < next || self.head.as_ref().is_none_or(|head| row.sequence > head.length) {
            return fault(ChainErrorKind::Added);
        }
        let follows_keyed = self.last.is_some_and(|(_, is_keyed)| is_keyed);
        if row.key_id.is_none() && follows_keyed {
            return fault(ChainErrorKind::Unkeyed);
        }
        if row.key_id.is_some()
            && row.action != Action::AuditSealed.as_str()
            && let Some(unsealed) = self.unsealed()
        {
            return Some(unsealed);
        }
        match hash_after(self.keys, &self.hash, row) {
            None => fault(ChainErrorKind::UnknownKey),
            Some(hash) if hash == row.hash => None,
            Some(_) => fault(ChainErrorKind::Altered),
        }
    }

    fn end(&self) -> Option<ChainError> {
        let Some(head) = &self.head else {
            return Some(ChainError { sequence: 1, at: None, why: ChainErrorKind::Missing });
        };
        if head.length > self.length {
            return Some(ChainError { sequence: self.length + 1, at: None, why: ChainErrorKind::Missing });
        }
        if head.hash != self.hash {
            return Some(ChainError { sequence: self.length, at: None, why: ChainErrorKind::AnotherEnd });
        }
        self.unsealed()
    }

    /// The last row, if it has no key. The chains of earlier versions were sealed when the database was opened, so only
    /// the seal may follow such a row.
    fn unsealed(&self) -> Option<ChainError> {
        let (at, _) = self.last.filter(|(_, is_keyed)| !is_keyed)?;
        Some(ChainError { sequence: self.length, at: Some(at), why: ChainErrorKind::Unkeyed })
    }
}

/// The next rows of a chain, from the very first one.
async fn after(
    connection: &impl ConnectionTrait,
    chain: &str,
    sequence: Option<i64>,
) -> Result<Vec<audit_event::Model>> {
    let mut rows = audit_event::Entity::find().filter(audit_event::Column::ChainId.eq(chain));
    if let Some(sequence) = sequence {
        rows = rows.filter(audit_event::Column::Sequence.gt(sequence));
    }
    Ok(rows.order_by_asc(audit_event::Column::Sequence).limit(PAGE).all(connection).await?)
}
