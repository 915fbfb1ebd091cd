//! `latchkey group`

use clap::{Subcommand, ValueEnum};
use domain::{
    ensured::Ensured,
    group::{Group, GroupType, Version},
    id::{GroupId, Id},
    permission::Permission,
};
use keyring::{Error, GroupDetail, GroupEdit, GroupOverview, Keyring, NewGroup, TenantAdmin, TenantGroup, Thing};
use serde_json::json;

use super::{Report, created, pretty, table};

#[derive(Subcommand, Clone)]
pub enum GroupCommand {
    /// Make an authorization group
    Create {
        /// The tenant's slug
        #[arg(long)]
        tenant: String,
        /// The name of the group
        #[arg(long)]
        name: String,
        /// The kind of credential that the group is for
        #[arg(long = "type", value_enum)]
        group_type: GroupTypeArg,
        /// resource:action, with * for either side; once for each
        #[arg(long = "permission", required = true)]
        permissions: Vec<String>,
        /// Do nothing if the tenant has a group of this type with this name
        #[arg(long)]
        if_absent: bool,
    },
    /// List a tenant's groups
    List {
        /// The tenant's slug
        #[arg(long)]
        tenant: String,
    },
    /// Show a group, and the keys and people that use it
    Show {
        /// The group's id
        id: String,
    },
    /// Change a group for all who use it, from their next call; what is not named stays
    Edit {
        /// The group's id
        id: String,
        /// A new name
        #[arg(long)]
        name: Option<String>,
        /// All the permissions that the group is to have, once for each
        #[arg(long = "permission")]
        permissions: Vec<String>,
    },
    /// Remove a group that nothing uses
    Delete {
        /// The group's id
        id: String,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GroupTypeArg {
    TenantApiKey,
    Person,
}

impl From<GroupTypeArg> for GroupType {
    fn from(word: GroupTypeArg) -> Self {
        match word {
            GroupTypeArg::TenantApiKey => Self::TenantApiKey,
            GroupTypeArg::Person => Self::Person,
        }
    }
}

pub(super) async fn execute(keyring: &Keyring, command: GroupCommand) -> Result<Report, Error> {
    match command {
        GroupCommand::Create { tenant, name, group_type, permissions, if_absent } => {
            let operator = keyring.operator_for(&tenant).await?;
            let new = NewGroup { name, group_type: group_type.into(), permissions };
            let group = if if_absent {
                keyring.ensure_group(&operator, new).await?
            } else {
                Ensured::Created(keyring.create_group(&operator, new).await?)
            };
            Ok(match group {
                Ensured::Created(group) => created(json!(group), true, &group.name),
                Ensured::Existing(group) => created(json!(group), false, &group.name),
            })
        }
        GroupCommand::List { tenant } => {
            let groups = keyring.group_overviews(&keyring.operator_for(&tenant).await?).await?;
            Ok(Report::new(json!(groups), table(&groups.iter().map(row).collect::<Vec<_>>())))
        }
        GroupCommand::Show { id } => {
            let (operator, id) = operator_of(keyring, &id).await?;
            let GroupDetail { group, used, keys, people } = keyring.group_detail(&operator, &id).await?;
            let mut view = json!(GroupOverview { group, used });
            view["keys"] = json!(keys.first);
            view["people"] = json!(people);
            Ok(pretty(view))
        }
        GroupCommand::Edit { id, name, permissions } => {
            let (operator, before) = find_group(keyring, &id).await?;
            let edit = GroupEdit {
                seen: Some(Version(before.version)),
                name: name.unwrap_or(before.group.name),
                permissions: if permissions.is_empty() { label(&before.group.permissions) } else { permissions },
            };
            let after = keyring.edit_group(&operator, &before.group.id, &edit).await?;
            Ok(Report::new(json!(after), format!("Changed the group {} ({}).\n", after.group.name, after.group.id)))
        }
        GroupCommand::Delete { id } => {
            let (operator, TenantGroup { group, .. }) = find_group(keyring, &id).await?;
            keyring.delete_group(&operator, &group.id).await?;
            Ok(Report::new(json!({ "id": group.id }), format!("Deleted the group {} ({}).\n", group.name, group.id)))
        }
    }
}

async fn operator_of(keyring: &Keyring, id: &str) -> Result<(TenantAdmin, GroupId), Error> {
    let id = GroupId::parse(id).map_err(|_| Error::NotFound(Thing::Group))?;
    Ok((keyring.operator_for_group(&id).await?, id))
}

async fn find_group(keyring: &Keyring, id: &str) -> Result<(TenantAdmin, TenantGroup), Error> {
    let (operator, id) = operator_of(keyring, id).await?;
    let group = keyring.group_detail(&operator, &id).await?.group;
    Ok((operator, group))
}

fn label(permissions: &[Permission]) -> Vec<String> {
    permissions.iter().map(ToString::to_string).collect()
}

fn row(GroupOverview { group, used }: &GroupOverview) -> Vec<String> {
    let Group { id, name, group_type, permissions } = &group.group;
    let users = match group_type {
        GroupType::TenantApiKey => format!("{} keys", used.active_keys + used.revoked_keys),
        GroupType::Person => format!("{} people", used.people),
    };
    vec![id.to_string(), name.clone(), group_type.as_str().to_owned(), users, label(permissions).join(" ")]
}
