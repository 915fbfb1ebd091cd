//! The functions that islands call on the server. Each is a public endpoint: it finds the actor, calls one
//! use case and maps one error.

use domain::{
    expiration::ExpirationDraft,
    id::KeyId,
    key_draft::{Choices, Grace, KeyDraft},
};
use leptos::{prelude::*, server_fn::codec::Json};
use serde::{Deserialize, Serialize};

use crate::{
    error::{ConsoleError, SeenKey},
    model::{KeysOf, SecretOnce},
};

#[cfg(feature = "ssr")]
use crate::session;

mod groups;
mod people;
mod properties;
mod security;
mod tenants;

pub use groups::{CreateGroup, DeleteGroup, EditGroup, create_group, delete_group, edit_group};
pub use people::{
    AcceptInvitation, EndSessionsOf, InvitePerson, MakePasswordLink, ResetSecondFactor, SetRole, SwitchOffPerson,
    SwitchOnPerson, accept_invitation, end_sessions_of, invite_person, make_password_link, reset_second_factor,
    set_role, switch_off_person, switch_on_person,
};
pub use properties::{
    ArchiveProperty, CreateProperty, RenameProperty, RestoreProperty, archive_property, create_property,
    rename_property, restore_property,
};
pub use security::{
    ChangePassword, ConfirmIdentity, RenameOneself, RenewRecoveryCodes, RequireSecondFactor, SignOutEverywhere,
    TurnOffSecondFactor, TurnOnSecondFactor, change_password, confirm_identity, rename_oneself, renew_recovery_codes,
    require_second_factor, sign_out_everywhere, turn_off_second_factor, turn_on_second_factor,
};
pub use tenants::{
    ChangeTenant, CreateTenant, EnterTenant, LeaveTenant, ResumeSubscription, StopSubscription, change_tenant,
    create_tenant, enter_tenant, leave_tenant, resume_subscription, stop_subscription,
};

/// All that the form needs to edit a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EditableKey {
    pub key: SeenKey,
    pub choices: Choices,
}

/// Signs in and answers where to go. The organization is the slug of the person's tenant, and the code that of a second
/// factor. Either may be empty or left out.
#[server(prefix = "/console", endpoint = "sign_in")]
pub async fn sign_in(
    email: String,
    password: String,
    #[server(default)] organization: String,
    #[server(default)] code: String,
    next: String,
) -> Result<String, ConsoleError> {
    let next = session::safe_redirect_path(&next);
    let credentials = keyring::Credentials { organization: Some(organization), email, password: password.into() };
    session::open(credentials, &code)
        .await
        .inspect_err(|_| session::return_to_form(&session::failed_sign_in_path(&next)))?;
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
pub async fn generate_key(
    of: KeysOf,
    draft: KeyDraft,
    expiration: ExpirationDraft,
) -> Result<SecretOnce, ConsoleError> {
    let (console, manager) = session::manager(of).await?;
    let new = keyring::NewKey { draft, expiration };
    session::map_outcome(console.keyring.generate_key(&manager, &new).await).map(session::secret_once)
}

/// A key as its form shows it.
#[server(prefix = "/console", endpoint = "load_key", input = Json)]
pub async fn load_key(of: KeysOf, id: KeyId) -> Result<EditableKey, ConsoleError> {
    let (console, manager) = session::manager(of).await?;
    let key = session::map_outcome(console.keyring.key(&manager, &id).await)?;
    let choices = session::map_outcome(console.keyring.key_choices(&manager).await)?;
    Ok(EditableKey { key: session::seen(&key, &manager), choices })
}

/// Saves the form of a key.
#[server(prefix = "/console", endpoint = "edit_key", input = Json)]
pub async fn edit_key(of: KeysOf, id: KeyId, seen: i32, draft: KeyDraft) -> Result<(), ConsoleError> {
    let (console, manager) = session::manager(of).await?;
    session::answer_on_key(console.keyring.edit_key(&manager, &id, seen, &draft).await, &manager).map(drop)
}

/// Gives a key a new secret.
#[server(prefix = "/console", endpoint = "rotate_key", input = Json)]
pub async fn rotate_key(
    of: KeysOf,
    id: KeyId,
    seen: i32,
    expiration: Option<ExpirationDraft>,
    grace: Grace,
) -> Result<SecretOnce, ConsoleError> {
    let (console, manager) = session::manager(of).await?;
    let rotation = keyring::Rotation { expiration, grace };
    let rotated = console.keyring.rotate_key(&manager, &id, seen, &rotation).await;
    session::answer_on_key(rotated, &manager).map(session::secret_once)
}

/// Ends the grace period of a key's old secret.
#[server(prefix = "/console", endpoint = "end_grace", input = Json)]
pub async fn end_grace(of: KeysOf, id: KeyId) -> Result<(), ConsoleError> {
    let (console, manager) = session::manager(of).await?;
    session::map_outcome(console.keyring.end_grace(&manager, &id).await)
}

/// Revokes a key.
#[server(prefix = "/console", endpoint = "revoke_key", input = Json)]
pub async fn revoke_key(of: KeysOf, id: KeyId) -> Result<(), ConsoleError> {
    let (console, viewer) = session::viewer(of).await?;
    session::map_outcome(console.keyring.revoke_key(&viewer, &id).await).map(drop)
}

/// Deletes a key.
#[server(prefix = "/console", endpoint = "delete_key", input = Json)]
pub async fn delete_key(of: KeysOf, id: KeyId) -> Result<(), ConsoleError> {
    let (console, manager) = session::manager(of).await?;
    session::map_outcome(console.keyring.delete_key(&manager, &id).await)
}
