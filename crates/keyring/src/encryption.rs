//! Opening a database with the installation's secret keys, and rotating them.

use std::path::PathBuf;

use domain::{audit::Action, secret::Product};
use serde_json::json;
use store::{Chain, Database, Event, StoreError, Subject, secret_keys::key_id};
use verify::Clock;

use crate::{
    Keyring,
    access::Actor,
    error::Error,
    secret::random_hex,
    secret_key_file::{SecretKeyFile, SecretKeyFileError},
};

/// Why a database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    SecretKeyFile(#[from] SecretKeyFileError),
    #[error(
        "The secret key file {0} is missing, and the database is encrypted. Restore the file that belongs to the database."
    )]
    LostSecretKey(PathBuf),
    #[error(
        "The secret key file does not belong to this database: {file} lacks the key {key}, which encrypts it. Restore \
         the file that belongs to the database."
    )]
    WrongSecretKey { file: PathBuf, key: String },
    #[error(transparent)]
    Database(#[from] StoreError),
}

/// A rotation of the secret key: every value is encrypted with another key now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretKeyRotation {
    /// The id of the key that encrypts now.
    pub key: String,
    /// The id of the one that did so before.
    pub previous_key: String,
}

/// The instructions for an operator whose key file the program cannot change on every server.
const HOW_TO_ADD: &str = "Add a line that `latchkey secret-key generate` prints to the end of the secret key file of \
    every server, and restart them. Then make it the first line of each file, restart them again, and repeat this command.";

impl Keyring {
    /// Opens a migrated database. What an earlier version stored in clear is encrypted first, and its audit log is sealed.
    /// The secret key of a new SQLite database is made beside it.
    ///
    /// # Errors
    /// If the secret keys are missing or do not belong to the database, or the database fails.
    pub async fn open(
        database: Database,
        file: SecretKeyFile,
        product: Product,
        clock: Clock,
    ) -> Result<Self, OpenError> {
        let check = store::encryption::check_value(database.connection()).await?;
        let keys = match (file.read()?, &check) {
            (Some(keys), _) => keys,
            (None, None) => file.create()?,
            (None, Some(_)) => return Err(OpenError::LostSecretKey(file.path().to_owned())),
        };
        let check = match check {
            Some(check) => check,
            None => {
                let token_key = random_hex().into();
                store::encryption::encrypt_existing(&database, &keys, &token_key, clock.now()).await?
            }
        };
        if !store::encryption::fits(&keys, &check)? {
            let key = key_id(&check).unwrap_or_default().to_owned();
            return Err(OpenError::WrongSecretKey { file: file.path().to_owned(), key });
        }
        database.use_secret_keys(keys);
        Ok(Self::new(database, file, product, clock))
    }

    /// Encrypts every value with a new secret key, which becomes the first of the file. The other keys stay there. If the
    /// file has a new first key already, this one is taken: a rotation that was interrupted is completed that way.
    ///
    /// # Errors
    /// If the program has to be given the new key by the operator first.
    pub async fn rotate_secret_key(&self) -> Result<SecretKeyRotation, Error> {
        let file = self.secret_key_file.lock().await;
        let check = store::encryption::check_value(self.database.connection()).await?.unwrap_or_default();
        let previous_key = key_id(&check).unwrap_or_default().to_owned();
        if self.database.secret_keys()?.first_id() == previous_key {
            if self.database.is_shared() {
                let reason = "Every value is already encrypted with the first key of the secret key file.";
                return Err(Error::Refused(format!("{reason} {HOW_TO_ADD}")));
            }
            let keys = file.add_first().map_err(|cause| Error::Refused(format!("{cause} {HOW_TO_ADD}")))?;
            self.database.use_secret_keys(keys);
        }
        let change = self.begin_change(Chain::Platform, &Actor::operator()).await?;
        store::encryption::reencrypt(&change).await?;
        let key = change.secret_keys().first_id().to_owned();
        let detail = json!({ "before": { "key": previous_key }, "after": { "key": key } });
        let event = Event { action: Action::SecretKeyRotated, subject: Subject::INSTALLATION, detail };
        change.commit(event).await?;
        Ok(SecretKeyRotation { key, previous_key })
    }
}
