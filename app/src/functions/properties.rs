//! What admins do about properties.

use domain::id::PropertyId;
use leptos::{prelude::*, server_fn::codec::Json};

use crate::error::ConsoleError;

#[cfg(feature = "ssr")]
use crate::session;

/// Makes a property and answers its id.
#[server(prefix = "/console", endpoint = "create_property", input = Json)]
pub async fn create_property(name: String) -> Result<PropertyId, ConsoleError> {
    let (console, admin) = session::admin().await?;
    let made = console.keyring.create_property(&admin, keyring::NewProperty { name }).await;
    session::map_outcome(made).map(|property| property.id)
}

/// Gives a property another name. `seen` is the one that the person started from.
#[server(prefix = "/console", endpoint = "rename_property", input = Json)]
pub async fn rename_property(id: PropertyId, seen: String, name: String) -> Result<(), ConsoleError> {
    let (console, admin) = session::admin().await?;
    let renaming = keyring::Renaming { seen: Some(seen), name };
    session::map_outcome(console.keyring.rename_property(&admin, &id, &renaming).await).map(drop)
}

/// Takes a property out of the reach of keys.
#[server(prefix = "/console", endpoint = "archive_property", input = Json)]
pub async fn archive_property(id: PropertyId) -> Result<(), ConsoleError> {
    let (console, admin) = session::admin().await?;
    session::map_outcome(console.keyring.archive_property(&admin, &id).await).map(drop)
}

/// Brings an archived property back.
#[server(prefix = "/console", endpoint = "restore_property", input = Json)]
pub async fn restore_property(id: PropertyId) -> Result<(), ConsoleError> {
    let (console, admin) = session::admin().await?;
    session::map_outcome(console.keyring.restore_property(&admin, &id).await).map(drop)
}
