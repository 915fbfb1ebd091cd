//! `latchkey audit`

use chrono::NaiveDate;
use clap::{Args, Subcommand, value_parser};
use domain::{
    audit::Action,
    audit_query::{AuditQuery, Start, SubjectFilter},
};
use keyring::{AuditEvent, AuditHead, AuditVerification, ChainErrorKind, ChainReport, Error, Keyring, TenantAdmin};
use serde_json::json;

use super::{Report, table};

const MAX_LISTED_EVENTS: u64 = 1_000;

#[derive(Subcommand, Clone)]
pub enum AuditCommand {
    /// List what was changed, the latest first
    List {
        /// The tenant's slug; what belongs to no tenant without it
        #[arg(long)]
        tenant: Option<String>,
        #[command(flatten)]
        filters: Filters,
        /// The number of events, at most 1000; use --before for older ones
        #[arg(long, default_value_t = 50, value_parser = value_parser!(u64).range(1..=MAX_LISTED_EVENTS))]
        limit: u64,
    },
    /// Check that no row was altered, removed, added or moved since it was written
    Verify {
        /// The tenant's slug; every chain without it
        #[arg(long)]
        tenant: Option<String>,
        /// A head that was kept elsewhere, as sequence:hash. A chain must contain it. Can be given more than once
        #[arg(long)]
        expect: Vec<AuditHead>,
    },
}

#[derive(Args, Clone)]
pub struct Filters {
    /// The actor: an e-mail address, an id, or operator
    #[arg(long)]
    actor: Option<String>,
    /// The action, such as key.revoked
    #[arg(long, value_parser = action)]
    action: Option<Action>,
    /// The subject: an id, or a name that it had
    #[arg(long)]
    subject: Option<String>,
    /// The first day, where the tenant is: 2026-11-21
    #[arg(long)]
    from: Option<NaiveDate>,
    /// The last day, where the tenant is
    #[arg(long)]
    to: Option<NaiveDate>,
    /// Only events older than this number
    #[arg(long)]
    before: Option<i64>,
}

fn action(text: &str) -> Result<Action, String> {
    let all = || Action::ALL.iter().map(|action| action.as_str()).collect::<Vec<_>>().join(", ");
    Action::parse(text).ok_or_else(|| format!("use one of {}", all()))
}

impl Filters {
    async fn query(self, keyring: &Keyring, tenant: Option<&TenantAdmin>) -> Result<AuditQuery, Error> {
        let Self { actor, action, subject, from, to, before } = self;
        let actor = match actor {
            Some(actor) => Some(id_of(keyring, tenant, actor).await?),
            None => None,
        };
        let (subject, start) =
            (subject.as_deref().and_then(SubjectFilter::parse), before.map_or(Start::Newest, Start::Before));
        Ok(AuditQuery { actor, action, subject, from, to, start })
    }
}

/// Resolves an e-mail address among the tenant's people and the super users; other text is kept as it is.
async fn id_of(keyring: &Keyring, tenant: Option<&TenantAdmin>, actor: String) -> Result<String, Error> {
    let mut people = keyring.people(tenant).await?;
    if tenant.is_some() {
        people.extend(keyring.people(None).await?);
    }
    let email = actor.to_lowercase();
    let found = people.into_iter().find(|profile| profile.person.email.as_str() == email);
    Ok(found.map_or(actor, |profile| profile.person.id.to_string()))
}

pub(super) async fn execute(keyring: &Keyring, command: AuditCommand) -> Result<Report, Error> {
    match command {
        AuditCommand::List { tenant, filters, limit } => {
            let operator = operator_for(keyring, tenant).await?;
            let query = filters.query(keyring, operator.as_ref()).await?;
            let events = keyring.audit_stretch(operator.as_ref(), &query, limit).await?;
            Ok(Report::new(json!(events), table(&events.iter().map(row).collect::<Vec<_>>())))
        }
        AuditCommand::Verify { tenant, expect } => {
            let operator = operator_for(keyring, tenant).await?;
            Ok(verified(&keyring.verify_audit(operator.as_ref(), &expect).await?))
        }
    }
}

async fn operator_for(keyring: &Keyring, tenant: Option<String>) -> Result<Option<TenantAdmin>, Error> {
    match tenant {
        Some(slug) => Ok(Some(keyring.operator_for(&slug).await?)),
        None => Ok(None),
    }
}

fn row(event: &AuditEvent) -> Vec<String> {
    let AuditEvent { sequence, at, actor, actor_name, action, subject, subject_name, address, .. } = event;
    let from = address.as_deref().unwrap_or("shell");
    let command = [actor, actor_name, from, action.as_str(), subject, subject_name].map(str::to_owned);
    [sequence.to_string(), at.to_rfc3339()].into_iter().chain(command).collect()
}

fn verified(AuditVerification { chains, missing }: &AuditVerification) -> Report {
    let report = Report::new(json!(chains), table(&chains.iter().map(verdict).collect::<Vec<_>>()));
    let flaws: Vec<ChainErrorKind> =
        chains.iter().filter_map(|report| report.fault.as_ref()).map(|fault| fault.why).collect();
    if flaws.iter().any(|flaw| *flaw != ChainErrorKind::UnknownKey) {
        return report.failing("The audit log was altered.");
    }
    if !flaws.is_empty() {
        return report.failing(
            "The audit log cannot be verified: the secret key file lacks a key that it was written with. Add the line \
             of the retired key to the end of the file, then repeat this command.",
        );
    }
    match missing.first() {
        Some(head) => report.failing(format!("No chain contains {head}: the audit log was truncated or rewritten.")),
        None => report,
    }
}

fn verdict(ChainReport { chain, rows, head, fault }: &ChainReport) -> Vec<String> {
    let verdict = fault.as_ref().map_or_else(
        || format!("whole, {rows} rows{}", head.as_ref().map(|head| format!(", head {head}")).unwrap_or_default()),
        |fault| {
            let when = fault.at.map(|at| format!(" of {}", at.to_rfc3339())).unwrap_or_default();
            format!("BROKEN at row {}{when}: {}; the {rows} before it are intact", fault.sequence, fault.why.label())
        },
    );
    vec![chain.clone(), verdict]
}
