//! `latchkey group`

use clap::{Subcommand, ValueEnum};
use domain::group::{Group, GroupType};
use keyring::{Error, Keyring, NewGroup};
use serde_json::json;

use super::{Report, table};

#[derive(Subcommand, Clone)]
pub enum GroupWords {
    /// Make an authorization group
    Create {
        /// The tenant's slug
        #[arg(long)]
        tenant: String,
        #[arg(long)]
        name: String,
        /// Who the group can be given to
        #[arg(long = "type", value_enum)]
        group_type: TypeWord,
        /// resource:action, with * for either side; once for each
        #[arg(long = "permission", required = true)]
        permissions: Vec<String>,
    },
    /// List a tenant's groups
    List {
        #[arg(long)]
        tenant: String,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TypeWord {
    TenantApiKey,
    Person,
}

impl From<TypeWord> for GroupType {
    fn from(word: TypeWord) -> Self {
        match word {
            TypeWord::TenantApiKey => Self::TenantApiKey,
            TypeWord::Person => Self::Person,
        }
    }
}

pub(super) async fn execute(keyring: &Keyring, words: GroupWords) -> Result<Report, Error> {
    match words {
        GroupWords::Create { tenant, name, group_type, permissions } => {
            let operator = keyring.operator_for(&tenant).await?;
            let new = NewGroup { name, group_type: group_type.into(), permissions };
            let group = keyring.create_group(&operator, new).await?;
            Ok(Report::new(json!(group), format!("Made the group {} ({}).\n", group.name, group.id)))
        }
        GroupWords::List { tenant } => {
            let groups = keyring.groups(&keyring.operator_for(&tenant).await?).await?;
            Ok(Report::new(json!(groups), table(&groups.iter().map(row).collect::<Vec<_>>())))
        }
    }
}

fn row(group: &Group) -> Vec<String> {
    let permissions: Vec<String> = group.permissions.iter().map(ToString::to_string).collect();
    vec![group.id.to_string(), group.name.clone(), group.group_type.as_str().to_owned(), permissions.join(" ")]
}
