//! What admins do about authorization groups.

use domain::{
    group::{GroupType, Version},
    id::GroupId,
};
use leptos::{prelude::*, server_fn::codec::Json};

use crate::error::ConsoleError;

#[cfg(feature = "ssr")]
use crate::session;

/// Makes a group of the permissions that were picked and those that were typed, and answers its id.
#[server(prefix = "/console", endpoint = "create_group", input = Json)]
pub async fn create_group(
    name: String,
    group_type: GroupType,
    picked: Vec<String>,
    permissions: String,
) -> Result<GroupId, ConsoleError> {
    let (console, admin) = session::admin().await?;
    let new =
        keyring::NewGroup { name, group_type, permissions: domain::group::picked_and_typed(picked, &permissions) };
    session::map_outcome(console.keyring.create_group(&admin, new).await).map(|group| group.id)
}

/// Gives a group another name and other permissions.
#[server(prefix = "/console", endpoint = "edit_group", input = Json)]
pub async fn edit_group(
    id: GroupId,
    seen: Version,
    name: String,
    picked: Vec<String>,
    permissions: String,
) -> Result<(), ConsoleError> {
    let (console, admin) = session::admin().await?;
    let edit = keyring::GroupEdit {
        seen: Some(seen),
        name,
        permissions: domain::group::picked_and_typed(picked, &permissions),
    };
    session::map_outcome(console.keyring.edit_group(&admin, &id, &edit).await).map(drop)
}

/// Deletes a group that nothing uses.
#[server(prefix = "/console", endpoint = "delete_group", input = Json)]
pub async fn delete_group(id: GroupId) -> Result<(), ConsoleError> {
    let (console, admin) = session::admin().await?;
    session::map_outcome(console.keyring.delete_group(&admin, &id).await)
}
