//! What admins do about people, and what people do with the link that they were given.

use domain::id::PersonId;
use leptos::{prelude::*, server_fn::codec::Json};

use crate::error::ConsoleError;

#[cfg(feature = "ssr")]
use crate::session;

/// Invites somebody and answers the link for them, this once.
#[server(prefix = "/console", endpoint = "invite_person", input = Json)]
pub async fn invite_person(
    email: String,
    name: String,
    role: String,
    #[server(default)] groups: Vec<String>,
) -> Result<String, ConsoleError> {
    let (console, admin) = session::admin().await?;
    let new = keyring::NewInvitation { email, name, role: keyring::NewRole { role, groups } };
    let invitation = session::map_outcome(console.keyring.invite_person(&admin, &new).await)?;
    Ok(session::link_once(&console, &invitation))
}

/// Makes a link by which somebody sets another password, and answers it, this once.
#[server(prefix = "/console", endpoint = "make_password_link", input = Json)]
pub async fn make_password_link(id: PersonId) -> Result<String, ConsoleError> {
    let (console, admin) = session::admin().await?;
    let invitation = session::map_outcome(console.keyring.make_password_link(&admin, &id).await)?;
    Ok(session::link_once(&console, &invitation))
}

/// Sets a password by a link, signs its owner in with it when it is enough, and answers where to go.
#[server(prefix = "/console", endpoint = "accept_invitation", input = Json)]
pub async fn accept_invitation(token: String, password: String) -> Result<String, ConsoleError> {
    session::accept(&token.into(), password.into()).await.map(str::to_owned)
}

/// Gives a person another role, and other groups.
#[server(prefix = "/console", endpoint = "set_role", input = Json)]
pub async fn set_role(id: PersonId, role: String, #[server(default)] groups: Vec<String>) -> Result<(), ConsoleError> {
    let (console, admin) = session::admin().await?;
    session::map_outcome(console.keyring.set_role(&admin, &id, &keyring::NewRole { role, groups }).await).map(drop)
}

/// Switches a person off.
#[server(prefix = "/console", endpoint = "switch_off_person", input = Json)]
pub async fn switch_off_person(id: PersonId) -> Result<(), ConsoleError> {
    let (console, admin) = session::admin().await?;
    session::map_outcome(console.keyring.deactivate(&admin, &id).await)
}

/// Switches a person on again.
#[server(prefix = "/console", endpoint = "switch_on_person", input = Json)]
pub async fn switch_on_person(id: PersonId) -> Result<(), ConsoleError> {
    let (console, admin) = session::admin().await?;
    session::map_outcome(console.keyring.reactivate(&admin, &id).await)
}

/// Signs a person out everywhere.
#[server(prefix = "/console", endpoint = "end_sessions_of", input = Json)]
pub async fn end_sessions_of(id: PersonId) -> Result<(), ConsoleError> {
    let (console, admin) = session::admin().await?;
    session::map_outcome(console.keyring.end_sessions_of(&admin, &id).await).map(drop)
}

/// Takes the second factor from somebody who lost it.
#[server(prefix = "/console", endpoint = "reset_second_factor", input = Json)]
pub async fn reset_second_factor(id: PersonId) -> Result<(), ConsoleError> {
    let (console, admin) = session::admin().await?;
    session::map_outcome(console.keyring.reset_second_factor(&admin, &id).await)
}
