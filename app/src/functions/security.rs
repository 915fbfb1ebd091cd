//! What people change about themselves.

use leptos::{prelude::*, server_fn::codec::Json};

use crate::error::ConsoleError;

#[cfg(feature = "ssr")]
use crate::session;

/// Gives the person another name.
#[server(prefix = "/console", endpoint = "rename_oneself", input = Json)]
pub async fn rename_oneself(name: String) -> Result<(), ConsoleError> {
    let (console, signed_in) = session::somebody().await?;
    session::map_outcome(console.keyring.rename_oneself(&signed_in, &name).await)
}

/// Gives the person another password and ends their other sessions.
#[server(prefix = "/console", endpoint = "change_password", input = Json)]
pub async fn change_password(current_password: String, password: String) -> Result<(), ConsoleError> {
    let (console, signed_in) = session::somebody().await?;
    session::map_outcome(console.keyring.change_password(&signed_in, current_password.into(), password.into()).await)
}

/// Confirms the person's identity by their password and, if they have a second factor, a code.
#[server(prefix = "/console", endpoint = "confirm_identity", input = Json)]
pub async fn confirm_identity(password: String, #[server(default)] code: String) -> Result<(), ConsoleError> {
    let (console, signed_in) = session::somebody().await?;
    session::map_outcome(console.keyring.confirm_identity(&signed_in, &password.into(), &code).await)
}

/// Turns the second factor on and answers the recovery codes, this once.
#[server(prefix = "/console", endpoint = "turn_on_second_factor", input = Json)]
pub async fn turn_on_second_factor(code: String) -> Result<Vec<String>, ConsoleError> {
    let (console, signed_in) = session::somebody().await?;
    let codes = console.keyring.turn_on_second_factor(&signed_in, &code).await;
    session::map_outcome(codes).map(session::codes_once)
}

/// Turns the second factor off.
#[server(prefix = "/console", endpoint = "turn_off_second_factor", input = Json)]
pub async fn turn_off_second_factor() -> Result<(), ConsoleError> {
    let (console, signed_in) = session::somebody().await?;
    session::map_outcome(console.keyring.turn_off_second_factor(&signed_in).await)
}

/// Makes new recovery codes and answers them, this once.
#[server(prefix = "/console", endpoint = "renew_recovery_codes", input = Json)]
pub async fn renew_recovery_codes() -> Result<Vec<String>, ConsoleError> {
    let (console, signed_in) = session::somebody().await?;
    session::map_outcome(console.keyring.renew_recovery_codes(&signed_in).await).map(session::codes_once)
}

/// Asks everybody in the tenant for a second factor, or leaves it to them.
#[server(prefix = "/console", endpoint = "require_second_factor", input = Json)]
pub async fn require_second_factor(is_required: bool) -> Result<(), ConsoleError> {
    let (console, admin) = session::admin().await?;
    session::map_outcome(console.keyring.require_second_factor(&admin, is_required).await)
}

/// Ends all of the person's sessions, this one as well.
#[server(prefix = "/console", endpoint = "sign_out_everywhere", input = Json)]
pub async fn sign_out_everywhere() -> Result<(), ConsoleError> {
    session::close_all().await
}
