//! `latchkey property`

use clap::Subcommand;
use domain::{
    ensured::Ensured,
    id::{Id, PropertyId},
};
use keyring::{Error, Keyring, NewProperty, PropertyOverview, Renaming, TenantAdmin, TenantProperty, Thing};
use serde_json::json;

use super::{Report, created, table};

#[derive(Subcommand, Clone)]
pub enum PropertyCommand {
    /// Make a property
    Create {
        /// The tenant's slug
        #[arg(long)]
        tenant: String,
        /// The name of the property
        #[arg(long)]
        name: String,
        /// Do nothing if the tenant has a property with this name
        #[arg(long)]
        if_absent: bool,
    },
    /// List a tenant's properties, the archived ones as well
    List {
        /// The tenant's slug
        #[arg(long)]
        tenant: String,
    },
    /// Give a property another name
    Rename {
        /// The property's id
        id: String,
        /// The new name
        #[arg(long)]
        name: String,
    },
    /// Take a property out of the reach of all keys; they keep it in their selection
    Archive {
        /// The property's id
        id: String,
    },
    /// Bring an archived property back
    Restore {
        /// The property's id
        id: String,
    },
}

pub(super) async fn execute(keyring: &Keyring, command: PropertyCommand) -> Result<Report, Error> {
    match command {
        PropertyCommand::Create { tenant, name, if_absent } => {
            let operator = keyring.operator_for(&tenant).await?;
            let new = NewProperty { name };
            let property = if if_absent {
                keyring.ensure_property(&operator, new).await?
            } else {
                Ensured::Created(keyring.create_property(&operator, new).await?)
            };
            Ok(match property {
                Ensured::Created(property) => created(json!(property), true, &property.name),
                Ensured::Existing(existing) => created(json!(existing), false, &existing.property.name),
            })
        }
        PropertyCommand::List { tenant } => {
            let properties = keyring.property_overviews(&keyring.operator_for(&tenant).await?).await?;
            Ok(Report::new(json!(properties), table(&properties.iter().map(row).collect::<Vec<_>>())))
        }
        PropertyCommand::Rename { id, name } => {
            let (operator, id) = find_property(keyring, &id).await?;
            let renaming = Renaming { seen: None, name };
            Ok(report("Renamed", &keyring.rename_property(&operator, &id, &renaming).await?))
        }
        PropertyCommand::Archive { id } => {
            let (operator, id) = find_property(keyring, &id).await?;
            Ok(report("Archived", &keyring.archive_property(&operator, &id).await?))
        }
        PropertyCommand::Restore { id } => {
            let (operator, id) = find_property(keyring, &id).await?;
            Ok(report("Restored", &keyring.restore_property(&operator, &id).await?))
        }
    }
}

async fn find_property(keyring: &Keyring, id: &str) -> Result<(TenantAdmin, PropertyId), Error> {
    let id = PropertyId::parse(id).map_err(|_| Error::NotFound(Thing::Property))?;
    Ok((keyring.operator_for_property(&id).await?, id))
}

fn report(done: &str, after: &TenantProperty) -> Report {
    Report::new(json!(after), format!("{done} the property {} ({}).\n", after.property.name, after.property.id))
}

fn row(PropertyOverview { property, active_keys }: &PropertyOverview) -> Vec<String> {
    let TenantProperty { property, archived_at } = property;
    let state = if archived_at.is_some() { "archived" } else { "" };
    vec![property.id.to_string(), property.name.clone(), format!("{active_keys} keys"), state.to_owned()]
}
