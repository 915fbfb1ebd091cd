//! Walking the chains of audit rows: each row has the hash that follows from it and the one before.

use std::collections::BTreeSet;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    super::{
        Database, Result,
        entity::{audit_chain, audit_event, tenant},
    },
    hash_after,
};
use crate::audit::{Fault, Flaw};

/// How many rows are held at once.
const PAGE: u64 = 1000;

/// Every chain that there is or should be: nobody gets rid of one by removing its last trace.
pub(crate) async fn chains(database: &Database) -> Result<BTreeSet<String>> {
    let connection = database.connection();
    let tenants = tenant::Entity::find().select_only().column(tenant::Column::Id);
    let heads = audit_chain::Entity::find().select_only().column(audit_chain::Column::Id);
    let rows = audit_event::Entity::find().select_only().column(audit_event::Column::ChainId).distinct();
    let mut chains: BTreeSet<String> = tenants.into_tuple().all(connection).await?.into_iter().collect();
    chains.extend(heads.into_tuple::<String>().all(connection).await?);
    chains.extend(rows.into_tuple::<String>().all(connection).await?);
    Ok(chains)
}

/// How many rows of a chain are whole, and what is wrong with the next, as of one instant.
pub(crate) async fn walk(database: &Database, chain: &str) -> Result<(i64, Option<Fault>)> {
    let snapshot = database.snapshot().await?;
    let head = audit_chain::Entity::find_by_id(chain).one(&snapshot).await?;
    let mut walk = Walk { head, length: 0, hash: String::new() };
    let fault = walk.walk_to_the_end(&snapshot, chain).await?;
    snapshot.commit().await?;
    Ok((walk.length, fault))
}

/// How far somebody has come along a chain.
struct Walk {
    /// Where the chain says it ends.
    head: Option<audit_chain::Model>,
    length: i64,
    hash: String,
}

impl Walk {
    async fn walk_to_the_end(&mut self, connection: &impl ConnectionTrait, chain: &str) -> Result<Option<Fault>> {
        loop {
            let rows = after(connection, chain, (self.length > 0).then_some(self.length)).await?;
            if rows.is_empty() {
                return Ok(self.end());
            }
            for row in rows {
                if let Some(flaw) = self.flaw_of(&row) {
                    return Ok(Some(flaw));
                }
                (self.length, self.hash) = (row.sequence, row.hash);
            }
        }
    }

    fn flaw_of(&self, row: &audit_event::Model) -> Option<Fault> {
        let next = self.length + 1;
        let fault = |why| Some(Fault { sequence: row.sequence, at: Some(row.at), why });
        if row.sequence > next {
            return Some(Fault { sequence: next, at: None, why: Flaw::Missing });
        }
        if row.sequence < next || self.head.as_ref().is_none_or(|head| row.sequence > head.length) {
            return fault(Flaw::Added);
        }
        if hash_after(&self.hash, row) == row.hash { None } else { fault(Flaw::Altered) }
    }

    fn end(&self) -> Option<Fault> {
        let Some(head) = &self.head else {
            return Some(Fault { sequence: 1, at: None, why: Flaw::Missing });
        };
        if head.length > self.length {
            return Some(Fault { sequence: self.length + 1, at: None, why: Flaw::Missing });
        }
        (head.hash != self.hash).then_some(Fault { sequence: self.length, at: None, why: Flaw::AnotherEnd })
    }
}

/// The next rows of a chain; from the very first, whatever its number.
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
