//! Reading and verifying the audit log.

use std::{collections::HashMap, fmt, str::FromStr};

use chrono::{DateTime, Datelike, Utc};
use domain::{
    audit::Action,
    audit_query::AuditQuery,
    id::Id,
    pagination::{HasCursor, Page},
};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::{
    Keyring, access::TenantAdmin, access::ViewKeys, error::Error, error::Thing, store, store::Chain, store::Change,
    store::audit_log::Bounds,
};
use domain::zone::TimeZone;

/// An audited change, and its actor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditEvent {
    /// Its position in the chain, from 1.
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

impl HasCursor for AuditEvent {
    type Position = i64;

    fn position(&self) -> i64 {
        self.sequence
    }
}

/// The kind of an audited subject that still exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectKind {
    TenantKey,
    PersonalKey,
    Person,
    Property,
    Group,
}

/// The result of verifying one audit chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainReport {
    /// The tenant's slug, or `platform` for what belongs to none.
    pub chain: String,
    /// How many rows follow from each other, from the first.
    pub rows: i64,
    /// The last row; none when the chain is empty or not whole.
    pub head: Option<AuditHead>,
    /// The first that does not; none when the chain is whole.
    pub fault: Option<ChainError>,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditVerification {
    /// By slug.
    pub chains: Vec<ChainReport>,
    /// The expected heads that no chain contains.
    pub missing: Vec<AuditHead>,
}

/// The last row of a chain at some time, written as `sequence:hash`. A chain that was cut off or rewritten since does
/// not contain it any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditHead {
    pub(crate) sequence: i64,
    pub(crate) hash: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write it as `audit verify --json` prints a head: sequence:hash")]
pub struct ParseAuditHeadError;

impl fmt::Display for AuditHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, self.hash)
    }
}

impl Serialize for AuditHead {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for AuditHead {
    type Err = ParseAuditHeadError;

    fn from_str(text: &str) -> Result<Self, ParseAuditHeadError> {
        let (sequence, hash) = text.split_once(':').ok_or(ParseAuditHeadError)?;
        let sequence = sequence.parse().map_err(|_| ParseAuditHeadError)?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if sequence > 0 && is_hash { Ok(Self { sequence, hash: hash.to_owned() }) } else { Err(ParseAuditHeadError) }
    }
}

/// The first row of a chain that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainError {
    pub sequence: i64,
    /// None when there is no such row.
    pub at: Option<DateTime<Utc>>,
    pub why: ChainErrorKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChainErrorKind {
    /// A row that was there is not there any more.
    Missing,
    /// What the row holds, or what came before it, does not lead to its hash.
    Altered,
    /// The row was never part of the chain.
    Added,
    /// All rows are whole, but the chain is known to have ended in another.
    AnotherEnd,
    /// The row has no key, and no seal follows it.
    Unkeyed,
    /// The key of the row is not in the secret key file.
    UnknownKey,
}

impl ChainErrorKind {
    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Missing => "the row is missing",
            Self::Altered => "the row, or its hash, was altered",
            Self::Added => "the row was added behind Latchkey’s back",
            Self::AnotherEnd => "the chain ended in another row",
            Self::Unkeyed => "the row was written without a key, and the chain was not sealed after it",
            Self::UnknownKey => "the key of the row is not in the secret key file",
        }
    }
}

/// Whose log it is, and where their days begin.
fn log_of(tenant: Option<&TenantAdmin>) -> (Chain<'_>, TimeZone) {
    tenant.map_or((Chain::Platform, TimeZone::UTC), |admin| (Chain::Tenant(admin.id()), TimeZone::of(admin.tenant())))
}

/// The days that a query asks for, from the beginning of the first to the end of the last.
fn span(query: &AuditQuery, zone: TimeZone) -> Bounds {
    // SQLite compares instants as text, where the year 10000 sorts before 2026. Nothing happens after 9999.
    let until = query.to.and_then(|date| date.succ_opt()).filter(|date| date.year() <= 9999);
    Bounds { from: query.from.map(|date| zone.begin_of(date)), until: until.map(|date| zone.begin_of(date)) }
}

/// Who changed something last, and when, as it looks within a change of it.
pub(crate) async fn last_change(
    change: &Change,
    viewer: &impl ViewKeys,
    subject: &impl Id,
) -> Result<(String, DateTime<Utc>), Error> {
    let last = store::last_change(change.on(), &viewer.tenant().id, subject.as_str()).await?;
    Ok(last.unwrap_or_else(|| ("Another admin".to_owned(), change.now())))
}

/// The refusal of an edit that started from a state that is no more.
pub(crate) async fn outdated(
    change: &Change,
    viewer: &impl ViewKeys,
    thing: Thing,
    subject: &impl Id,
) -> Result<Error, Error> {
    let (by, _) = last_change(change, viewer, subject).await?;
    Ok(Error::Outdated { thing, by })
}

impl Keyring {
    /// One page of what was changed in a tenant, or in what belongs to none.
    ///
    /// # Errors
    /// If a filter is wrong or the database fails.
    pub async fn audit_log(&self, tenant: Option<&TenantAdmin>, query: &AuditQuery) -> Result<Page<AuditEvent>, Error> {
        query.check()?;
        let (chain, zone) = log_of(tenant);
        Ok(store::audit_log::page(&self.database, chain, query, span(query, zone)).await?)
    }

    /// Returns this many events from where the query starts, newest first.
    ///
    /// # Errors
    /// If a filter is wrong or the database fails.
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

    /// Returns which subjects of some events still exist, by id.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn still_there(
        &self,
        admin: &TenantAdmin,
        events: &[AuditEvent],
    ) -> Result<HashMap<String, SubjectKind>, Error> {
        let mut ids: Vec<&str> = events.iter().map(|event| event.subject.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(store::audit_log::existing(self.database.connection(), admin.id(), &ids).await?)
    }

    /// Walks the chain of one tenant, or every chain there is, and looks for heads that were kept elsewhere. For the
    /// operator.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn verify_audit(
        &self,
        tenant: Option<&TenantAdmin>,
        expected: &[AuditHead],
    ) -> Result<AuditVerification, Error> {
        let chains = match tenant {
            Some(admin) => [admin.id().to_string()].into(),
            None => store::audit_verify::chains(&self.database).await?,
        };
        let slugs = store::tenants::slugs(&self.database).await?;
        let (mut reports, mut missing) = (Vec::new(), expected.to_vec());
        for id in chains {
            let (last, fault) = store::audit_verify::walk(&self.database, &id, &mut missing).await?;
            let chain = slugs.get(&id).unwrap_or(&id).clone();
            let rows = last.as_ref().map_or(0, |last| last.sequence);
            reports.push(ChainReport { chain, rows, head: last.filter(|_| fault.is_none()), fault });
        }
        reports.sort_by(|one, other| one.chain.cmp(&other.chain));
        Ok(AuditVerification { chains: reports, missing })
    }

    /// Returns the head of every chain, by slug, without verifying it.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn audit_heads(&self) -> Result<Vec<(String, AuditHead)>, Error> {
        let slugs = store::tenants::slugs(&self.database).await?;
        let heads = store::audit_verify::heads(&self.database).await?;
        Ok(heads.into_iter().map(|(id, head)| (slugs.get(&id).cloned().unwrap_or(id), head)).collect())
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
