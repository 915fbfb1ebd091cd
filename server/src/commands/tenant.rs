//! `latchkey tenant`

use clap::{Subcommand, ValueEnum};
use domain::tenant::Tenant;
use keyring::{Error, Keyring, NewTenant, SuperUser, TenantChange, TenantOverview};
use serde_json::json;

use super::{Report, table};

#[derive(Subcommand, Clone)]
pub enum TenantCommand {
    /// Make a tenant, with its first groups
    Create {
        /// Lower-case letters, digits and hyphens
        #[arg(long)]
        slug: String,
        /// The name of the organization
        #[arg(long)]
        name: String,
        /// The maximum number of keys [default: 10]
        #[arg(long)]
        key_limit: Option<u32>,
        /// An IANA name, such as Europe/Lisbon [default: UTC]
        #[arg(long)]
        time_zone: Option<String>,
    },
    /// List all tenants
    List,
    /// Change a tenant; what is not named stays
    Set {
        /// The tenant's slug, which cannot change
        #[arg(long)]
        slug: String,
        /// A new name
        #[arg(long)]
        name: Option<String>,
        /// The maximum number of keys
        #[arg(long)]
        key_limit: Option<u32>,
        /// Include API keys in the subscription; keys are refused while it is off
        #[arg(long)]
        api_keys: Option<Switch>,
        /// An IANA name, such as Europe/Lisbon
        #[arg(long)]
        time_zone: Option<String>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

pub(super) async fn execute(keyring: &Keyring, command: TenantCommand) -> Result<Report, Error> {
    match command {
        TenantCommand::Create { slug, name, key_limit, time_zone } => {
            let tenant =
                keyring.create_tenant(&SuperUser::operator(), NewTenant { slug, name, key_limit, time_zone }).await?;
            Ok(Report::new(json!(tenant), format!("Created the tenant {} ({}).\n", tenant.slug, tenant.id)))
        }
        TenantCommand::List => {
            let tenants = keyring.tenants(&SuperUser::operator()).await?;
            let rows: Vec<Vec<String>> = tenants.iter().map(row).collect();
            Ok(Report::new(json!(tenants), table(&rows)))
        }
        TenantCommand::Set { slug, name, key_limit, api_keys, time_zone } => {
            let operator = keyring.operator_for(&slug).await?;
            let api_keys = api_keys.map(|switch| switch == Switch::On);
            let tenant = keyring
                .change_tenant(
                    &SuperUser::operator(),
                    &operator.tenant().id,
                    TenantChange { name, key_limit, api_keys, time_zone },
                )
                .await?;
            Ok(Report::new(json!(tenant), format!("Changed the tenant {}.\n", tenant.slug)))
        }
    }
}

fn row(TenantOverview { tenant, active_keys, .. }: &TenantOverview) -> Vec<String> {
    let Tenant { id, slug, name, key_limit, api_keys, time_zone, requires_second_factor: _ } = tenant;
    let api_keys = if *api_keys { "on" } else { "off" };
    vec![
        id.to_string(),
        slug.clone(),
        name.clone(),
        format!("{active_keys}/{key_limit} keys"),
        api_keys.to_owned(),
        time_zone.clone(),
    ]
}
