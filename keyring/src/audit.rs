//! Reading the audit log, and making sure that nobody tampered with it.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, Utc};
use domain::{
    audit::Action,
    audit_query::AuditQuery,
    id::Id,
    keyset::{Page, Placed},
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    Keyring,
    access::{TenantAdmin, Watcher},
    error::{Error, Thing},
    store::{self, Chain, Change, audit_log::Span},
    zone::TimeZone,
};

/// Something that was changed, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditEvent {
    /// Its place in the chain, from 1.
    pub sequence: i64,
    pub at: DateTime<Utc>,
    /// The id of who did it.
    pub actor: String,
    pub actor_name: String,
    pub action: Action,
    /// The id of what was changed.
    pub subject: String,
    /// What it was called then.
    pub subject_name: String,
    /// From where; none at a shell.
    pub address: Option<String>,
    pub detail: Value,
}

impl Placed for AuditEvent {
    type Position = i64;

    fn position(&self) -> i64 {
        self.sequence
    }
}

/// What something is that the log tells of and that is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    TenantKey,
    PersonalKey,
    Person,
    Property,
    Group,
}

/// What became of one chain of audit rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainReport {
    /// The tenant's slug, or `platform` for what belongs to none.
    pub chain: String,
    /// How many rows follow from each other, from the first.
    pub rows: i64,
    /// The first that does not; none when the chain is whole.
    pub fault: Option<Fault>,
}

/// The first row of a chain that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    pub sequence: i64,
    /// None when there is no such row.
    pub at: Option<DateTime<Utc>>,
    pub why: Flaw,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// A row that was there is not there any more.
    Missing,
    /// What the row holds, or what came before it, does not lead to its hash.
    Altered,
    /// The row was never part of the chain.
    Added,
    /// All rows are whole, but the chain is known to have ended in another.
    AnotherEnd,
}

impl Flaw {
    /// As people read it.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Missing => "the row is missing",
            Self::Altered => "the row, or its hash, was altered",
            Self::Added => "the row was added behind Latchkey’s back",
            Self::AnotherEnd => "the chain ended in another row",
        }
    }
}

/// Whose log it is, and where their days begin.
fn log_of(tenant: Option<&TenantAdmin>) -> (Chain<'_>, TimeZone) {
    tenant.map_or((Chain::Platform, TimeZone::UTC), |admin| (Chain::Tenant(admin.id()), TimeZone::of(admin.tenant())))
}

/// The days that a query asks for, from the beginning of the first to the end of the last.
fn span(query: &AuditQuery, zone: TimeZone) -> Span {
    // SQLite compares instants as text, where the year 10000 sorts before 2026. Nothing happens after 9999.
    let until = query.to.and_then(|date| date.succ_opt()).filter(|date| date.year() <= 9999);
    Span { from: query.from.map(|date| zone.begin_of(date)), until: until.map(|date| zone.begin_of(date)) }
}

/// Who changed something last, and when, as it looks within a change of it.
pub(crate) async fn last_change(
    change: &Change,
    watcher: &impl Watcher,
    subject: &impl Id,
) -> Result<(String, DateTime<Utc>), Error> {
    let last = store::last_change(change.on(), &watcher.tenant().id, subject.as_str()).await?;
    Ok(last.unwrap_or_else(|| ("Somebody".to_owned(), change.now())))
}

/// The refusal of an edit that started from a state that is no more.
pub(crate) async fn outdated(
    change: &Change,
    watcher: &impl Watcher,
    thing: Thing,
    subject: &impl Id,
) -> Result<Error, Error> {
    let (by, _) = last_change(change, watcher, subject).await?;
    Ok(Error::Outdated { thing, by })
}

impl Keyring {
    /// One page of what was changed in a tenant, or in what belongs to none.
    ///
    /// # Errors
    /// When a filter is wrong or the database fails.
    pub async fn audit_log(&self, tenant: Option<&TenantAdmin>, query: &AuditQuery) -> Result<Page<AuditEvent>, Error> {
        query.check()?;
        let (chain, zone) = log_of(tenant);
        Ok(store::audit_log::page(&self.database, chain, query, span(query, zone)).await?)
    }

    /// So many changes from where the query starts, the latest first.
    ///
    /// # Errors
    /// When a filter is wrong or the database fails.
    pub async fn audit_stretch(
        &self,
        tenant: Option<&TenantAdmin>,
        query: &AuditQuery,
        limit: u64,
    ) -> Result<Vec<AuditEvent>, Error> {
        query.check()?;
        let (chain, zone) = log_of(tenant);
        Ok(store::audit_log::stretch(&self.database, chain, query, span(query, zone), limit).await?)
    }

    /// What of that which some changes tell of is still there, by its id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn still_there(
        &self,
        admin: &TenantAdmin,
        events: &[AuditEvent],
    ) -> Result<HashMap<String, Existing>, Error> {
        let mut ids: Vec<&str> = events.iter().map(|event| event.subject.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(store::audit_log::existing(self.database.connection(), admin.id(), &ids).await?)
    }

    /// Walks the chain of one tenant, or every chain there is, by slug. For the operator.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn verify_audit(&self, tenant: Option<&TenantAdmin>) -> Result<Vec<ChainReport>, Error> {
        let chains = match tenant {
            Some(admin) => [admin.id().to_string()].into(),
            None => store::audit_verify::chains(&self.database).await?,
        };
        let slugs = store::tenants::slugs(&self.database).await?;
        let mut reports = Vec::new();
        for id in chains {
            let (rows, fault) = store::audit_verify::walk(&self.database, &id).await?;
            let chain = slugs.get(&id).unwrap_or(&id).clone();
            reports.push(ChainReport { chain, rows, fault });
        }
        reports.sort_by(|one, other| one.chain.cmp(&other.chain));
        Ok(reports)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_up_to_the_last_day_has_no_upper_bound() {
        for (to, expected) in [("9999-12-31", None), ("9999-12-30", Some("9999-12-31T00:00:00Z"))] {
            let query = AuditQuery { to: to.parse().ok(), ..Default::default() };
            assert_eq!(span(&query, TimeZone::UTC).until, expected.map(|instant| instant.parse().unwrap()), "{to}");
        }
    }
}
