//! `latchkey audit`

use clap::Subcommand;
use keyring::{AuditEvent, Error, Keyring};
use serde_json::json;

use super::{Report, table};

#[derive(Subcommand, Clone)]
pub enum AuditWords {
    /// List what was changed, the latest first
    List {
        /// The tenant's slug; what belongs to no tenant without it
        #[arg(long)]
        tenant: Option<String>,
        /// How many at most
        #[arg(long, default_value_t = 50)]
        limit: u64,
    },
}

pub(super) async fn execute(keyring: &Keyring, words: AuditWords) -> Result<Report, Error> {
    let AuditWords::List { tenant, limit } = words;
    let operator = match &tenant {
        Some(slug) => Some(keyring.operator_for(slug).await?),
        None => None,
    };
    let events = keyring.audit_log(operator.as_ref(), limit).await?;
    Ok(Report::new(json!(events), table(&events.iter().map(row).collect::<Vec<_>>())))
}

fn row(event: &AuditEvent) -> Vec<String> {
    let AuditEvent { at, actor_name, action, subject, subject_name, .. } = event;
    vec![at.to_rfc3339(), actor_name.clone(), action.to_string(), subject.clone(), subject_name.clone()]
}
