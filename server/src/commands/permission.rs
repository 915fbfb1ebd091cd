//! `latchkey permission`

use clap::Subcommand;
use domain::permission_catalog::CatalogPermission;
use keyring::{Error, Keyring, NewPermission, SuperUser};
use serde_json::json;

use super::{Report, table};

#[derive(Subcommand, Clone)]
pub enum PermissionCommand {
    /// Add a permission that group forms offer
    Add {
        /// resource:action
        permission: String,
        /// The label of its checkbox [default: the action]
        #[arg(long)]
        name: Option<String>,
        /// A sentence that says what the permission allows
        #[arg(long, default_value = "")]
        description: String,
    },
    /// List the permissions that group forms offer
    List,
    /// Remove a permission that was added; groups that have it keep it
    Remove {
        /// resource:action
        permission: String,
    },
}

pub(super) async fn execute(keyring: &Keyring, command: PermissionCommand) -> Result<Report, Error> {
    let operator = SuperUser::operator();
    match command {
        PermissionCommand::Add { permission, name, description } => {
            let new = NewPermission { permission, name, description };
            let added = keyring.add_permission(&operator, new).await?;
            Ok(Report::new(json!(added), format!("Added the permission {}.\n", added.permission)))
        }
        PermissionCommand::List => {
            let catalog = keyring.permission_catalog().await?;
            let rows: Vec<Vec<String>> = catalog.permissions().iter().map(row).collect();
            Ok(Report::new(json!(catalog.permissions()), table(&rows)))
        }
        PermissionCommand::Remove { permission } => {
            let removed = keyring.remove_permission(&operator, &permission).await?;
            Ok(Report::new(json!(removed), format!("Removed the permission {}.\n", removed.permission)))
        }
    }
}

fn row(known: &CatalogPermission) -> Vec<String> {
    vec![known.permission.to_string(), known.name.clone(), known.description.clone()]
}
