//! `latchkey property`

use clap::Subcommand;
use keyring::{Error, Keyring, NewProperty};
use serde_json::json;

use super::{Report, table};

#[derive(Subcommand, Clone)]
pub enum PropertyWords {
    /// Make a property
    Create {
        /// The tenant's slug
        #[arg(long)]
        tenant: String,
        #[arg(long)]
        name: String,
    },
    /// List a tenant's properties
    List {
        #[arg(long)]
        tenant: String,
    },
}

pub(super) async fn execute(keyring: &Keyring, words: PropertyWords) -> Result<Report, Error> {
    match words {
        PropertyWords::Create { tenant, name } => {
            let operator = keyring.operator_for(&tenant).await?;
            let property = keyring.create_property(&operator, NewProperty { name }).await?;
            Ok(Report::new(json!(property), format!("Made the property {} ({}).\n", property.name, property.id)))
        }
        PropertyWords::List { tenant } => {
            let properties = keyring.properties(&keyring.operator_for(&tenant).await?).await?;
            let rows: Vec<Vec<String>> =
                properties.iter().map(|property| vec![property.id.to_string(), property.name.clone()]).collect();
            Ok(Report::new(json!(properties), table(&rows)))
        }
    }
}
