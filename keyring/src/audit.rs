//! Reading the audit log.

use chrono::{DateTime, Utc};
use domain::audit::Action;
use serde::Serialize;
use serde_json::Value;

use crate::{
    Keyring,
    access::TenantAdmin,
    error::Error,
    store::{self, Chain},
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

impl Keyring {
    /// What was changed last in a tenant, or in what belongs to none; the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_log(&self, tenant: Option<&TenantAdmin>, limit: u64) -> Result<Vec<AuditEvent>, Error> {
        let chain = tenant.map_or(Chain::Platform, |admin| Chain::Tenant(admin.id()));
        Ok(store::latest_events(&self.database, chain, limit).await?)
    }
}
