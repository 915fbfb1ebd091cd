//! The functions that islands call on the server. Each is a public endpoint: it finds the actor, calls one
//! use case and maps one error.

use domain::{
    expiration::ExpirationDraft,
    id::KeyId,
    key_draft::{Choices, Grace, KeyDraft},
};
use leptos::{prelude::*, server_fn::codec::Json};
use serde::{Deserialize, Serialize};

use crate::error::{ConsoleError, SeenKey};

#[cfg(feature = "ssr")]
use crate::session;

/// A new secret on its way to the person, this once. Not `Debug`, so that it cannot end up in a log.
#[derive(Clone, Serialize, Deserialize)]
pub struct SecretOnce {
    pub id: KeyId,
    pub secret: String,
}

/// All that the form needs to edit a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EditableKey {
    pub key: SeenKey,
    pub choices: Choices,
}

/// Signs in and answers where to go.
#[server(prefix = "/console", endpoint = "sign_in")]
pub async fn sign_in(email: String, password: String, next: String) -> Result<String, ConsoleError> {
    session::open(email, password.into()).await?;
    let next = session::own_path(&next);
    leptos_axum::redirect(&next);
    Ok(next)
}

/// Ends the session.
#[server(prefix = "/console", endpoint = "sign_out")]
pub async fn sign_out() -> Result<(), ConsoleError> {
    session::close().await?;
    leptos_axum::redirect("/sign-in");
    Ok(())
}

/// Generates a key.
#[server(prefix = "/console", endpoint = "generate_key", input = Json)]
pub async fn generate_key(draft: KeyDraft, expiration: ExpirationDraft) -> Result<SecretOnce, ConsoleError> {
    let (console, admin) = session::admin().await?;
    let new = keyring::NewKey { draft, expiration };
    let made = console.keyring.generate_key(&admin, &new).await;
    session::answer(made, &admin).map(session::secret_once)
}

/// A key as its form shows it.
#[server(prefix = "/console", endpoint = "load_key", input = Json)]
pub async fn load_key(id: KeyId) -> Result<EditableKey, ConsoleError> {
    let (console, admin) = session::admin().await?;
    let key = session::answer(console.keyring.key(&admin, &id).await, &admin)?;
    let choices = session::answer(console.keyring.key_choices(&admin).await, &admin)?;
    Ok(EditableKey { key: session::seen(&key, &admin), choices })
}

/// Saves the form of a key.
#[server(prefix = "/console", endpoint = "edit_key", input = Json)]
pub async fn edit_key(id: KeyId, seen: i32, draft: KeyDraft) -> Result<(), ConsoleError> {
    let (console, admin) = session::admin().await?;
    session::answer(console.keyring.edit_key(&admin, &id, seen, &draft).await, &admin).map(drop)
}

/// Gives a key a new secret.
#[server(prefix = "/console", endpoint = "rotate_key", input = Json)]
pub async fn rotate_key(
    id: KeyId,
    seen: i32,
    expiration: Option<ExpirationDraft>,
    grace: Grace,
) -> Result<SecretOnce, ConsoleError> {
    let (console, admin) = session::admin().await?;
    let rotation = keyring::Rotation { expiration, grace };
    let rotated = console.keyring.rotate_key(&admin, &id, seen, &rotation).await;
    session::answer(rotated, &admin).map(session::secret_once)
}

/// Ends the grace period of a key's old secret.
#[server(prefix = "/console", endpoint = "end_grace", input = Json)]
pub async fn end_grace(id: KeyId) -> Result<(), ConsoleError> {
    let (console, admin) = session::admin().await?;
    session::answer(console.keyring.end_grace(&admin, &id).await, &admin)
}

/// Revokes a key.
#[server(prefix = "/console", endpoint = "revoke_key", input = Json)]
pub async fn revoke_key(id: KeyId) -> Result<(), ConsoleError> {
    let (console, admin) = session::admin().await?;
    session::answer(console.keyring.revoke_key(&admin, &id).await, &admin).map(drop)
}

/// Deletes a key.
#[server(prefix = "/console", endpoint = "delete_key", input = Json)]
pub async fn delete_key(id: KeyId) -> Result<(), ConsoleError> {
    let (console, admin) = session::admin().await?;
    session::answer(console.keyring.delete_key(&admin, &id).await, &admin)
}
