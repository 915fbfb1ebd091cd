//! The columns whose values are encrypted.

use secrecy::SecretString;

use crate::{
    Result, StoreError,
    secret_keys::{Location, SecretKeys},
};

/// The one row of the table `installation`.
pub(crate) const INSTALLATION_ROW: i32 = 1;

pub(crate) const CHECK: Location<'_> = Location { column: "installation.secret_key_check", row: "1" };
pub(crate) const TOKEN_KEY: Location<'_> = Location { column: "installation.token_key", row: "1" };
/// The text that the check value encrypts.
pub(crate) const CHECK_TEXT: &str = "latchkey";

pub(crate) fn totp_secret(person: &str) -> Location<'_> {
    Location { column: "person.totp_secret", row: person }
}

pub(crate) fn offered_totp_secret(session: &str) -> Location<'_> {
    Location { column: "session.offered_totp_secret", row: session }
}

/// Decrypts the value at a location.
pub(crate) fn decrypt(keys: &SecretKeys, place: Location<'_>, encrypted: &str) -> Result<SecretString> {
    keys.decrypt(place, encrypted).map_err(|cause| {
        // Never the value itself: an unencrypted value may be a secret.
        StoreError::Undecryptable { what: place.column, row: place.row.to_owned(), cause }
    })
}
