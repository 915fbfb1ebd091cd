//! Reading and verifying the audit log.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, Utc};
use domain::{audit_query::AuditQuery, id::Id, pagination::Page, zone::TimeZone};
use serde::Serialize;
use store::{
    Chain,
    audit_log::Bounds,
    model::{AuditEvent, AuditHead, ChainError, SubjectKind},
};

use crate::{
    Keyring,
    access::{TenantAdmin, ViewKeys},
    change::Change,
    error::{Error, Thing},
};

/// The result of verifying one audit chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainReport {
    /// The tenant's slug, or `platform` for what belongs to none.
    pub chain: String,
    /// The length of the unbroken chain, counted from its first row.
    pub rows: i64,
    /// The last row; none when the chain is empty or not whole.
    pub head: Option<AuditHead>,
    /// The first that does not; none when the chain is whole.
    pub fault: Option<ChainError>,
}

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditVerification {
    /// The chains by the slug of their tenant.
    pub chains: Vec<ChainReport>,
    /// The expected heads that no chain contains.
    pub missing: Vec<AuditHead>,
}

/// Returns the chain of the admin's tenant, or the platform's, and the zone in which its days begin.
fn log_of(tenant: Option<&TenantAdmin>) -> (Chain<'_>, TimeZone) {
    tenant.map_or((Chain::Platform, TimeZone::UTC), |admin| (Chain::Tenant(admin.id()), TimeZone::of(admin.tenant())))
}

/// The days that a query asks for, from the beginning of the first to the end of the last.
fn span(query: &AuditQuery, zone: TimeZone) -> Bounds {
    // SQLite compares instants as text, where the year 10000 sorts before 2026. Nothing happens after 9999.
    let until = query.to.and_then(|date| date.succ_opt()).filter(|date| date.year() <= 9999);
    Bounds { from: query.from.map(|date| zone.begin_of(date)), until: until.map(|date| zone.begin_of(date)) }
}

/// Returns the actor and the time of the last change to a subject, as seen within a transaction.
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
