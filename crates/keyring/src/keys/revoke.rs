//! The end of a key: revoked, and listed still, or deleted, and gone.

use domain::{
    audit::Action,
    id::KeyId,
    key::{Key, Status},
    key_draft::KeyDraft,
};
use serde_json::json;
use store::{Event, Subject};

use super::load_key;
use crate::{
    Keyring,
    access::{ManageKeys, ViewKeys},
    error::Error,
};

impl Keyring {
    /// Revokes a key permanently. Revoking it again changes nothing.
    ///
    /// # Errors
    /// If there is no such key.
    pub async fn revoke_key(&self, viewer: &impl ViewKeys, id: &KeyId) -> Result<Key, Error> {
        let change = self.change(viewer).await?;
        let key = load_key(&change, viewer, id).await?;
        if key.status() == Status::Revoked {
            change.already_made().await?;
            return Ok(key);
        }
        store::keys::revoke(&change, viewer.key_scope(), &key, &change.actor().id).await?;
        let after = load_key(&change, viewer, id).await?;
        let detail = json!({ "owner": key.owner });
        change.commit(Event { action: Action::KeyRevoked, subject: Subject::new(id, &key.name), detail }).await?;
        Ok(after)
    }

    /// Removes a key with its secrets and its usage. What the audit log says of it stays.
    ///
    /// # Errors
    /// If there is no such key.
    pub async fn delete_key(&self, manager: &impl ManageKeys, id: &KeyId) -> Result<(), Error> {
        let change = self.change(manager).await?;
        let key = load_key(&change, manager, id).await?;
        store::keys::delete(&change, manager.key_scope(), id).await?;
        let detail =
            json!({ "terms": KeyDraft::of(&key), "secret": key.hint, "was_active": key.status() == Status::Active });
        change.commit(Event { action: Action::KeyDeleted, subject: Subject::new(id, &key.name), detail }).await?;
        Ok(())
    }
}
