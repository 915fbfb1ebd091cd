//! `latchkey secret-key`

use clap::Subcommand;
use keyring::{Error, Keyring, SecretKeyRotation, generate_secret_key};
use secrecy::ExposeSecret;
use serde_json::json;

use super::Report;

#[derive(Subcommand, Clone)]
pub enum SecretKeyCommand {
    /// Print a new key, as a line of the secret key file
    Generate,
    /// Encrypt every value with a new first key; the old keys stay in the file
    Rotate,
}

pub(super) async fn execute(keyring: &Keyring, command: SecretKeyCommand) -> Result<Report, Error> {
    match command {
        SecretKeyCommand::Generate => Ok(generate()),
        SecretKeyCommand::Rotate => Ok(rotated(&keyring.rotate_secret_key().await?)),
    }
}

pub(super) fn generate() -> Report {
    let key = generate_secret_key();
    Report::new(json!({ "secret_key": key.expose_secret() }), format!("{}\n", key.expose_secret()))
}

fn rotated(SecretKeyRotation { key, previous_key }: &SecretKeyRotation) -> Report {
    let text = format!(
        "Every value is now encrypted with the key {key}. Back up the secret key file, and keep the line of \
         {previous_key}.\n"
    );
    Report::new(json!({ "key": key, "previous_key": previous_key }), text)
}
