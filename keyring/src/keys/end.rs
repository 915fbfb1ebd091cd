//! The end of a key: revoked, and listed still, or deleted, and gone.

use domain::{
    id::{Id, KeyId},
    key::{Key, Status},
    key_draft::KeyDraft,
};
use serde_json::json;

use super::find;
use crate::{
    Keyring,
    access::TenantAdmin,
    error::Error,
    store::{self, Event},
};

impl Keyring {
    /// Blocks a key for good. Revoking it again changes nothing.
    ///
    /// # Errors
    /// When the tenant has no such key.
    pub async fn revoke_key(&self, admin: &TenantAdmin, id: &KeyId) -> Result<Key, Error> {
        let change = self.change(admin).await?;
        let key = find(&change, admin, id).await?;
        if key.status() == Status::Revoked {
            return Ok(key);
        }
        store::keys::revoke(&change, admin.id(), &key, &admin.actor().id).await?;
        let after = find(&change, admin, id).await?;
        let detail = json!({ "name": key.name });
        change.commit(Event { actor: admin.actor(), action: "key.revoked", subject: id.as_str(), detail }).await?;
        Ok(after)
    }

    /// Removes a key with its secrets and its usage. What the audit log says of it stays.
    ///
    /// # Errors
    /// When the tenant has no such key.
    pub async fn delete_key(&self, admin: &TenantAdmin, id: &KeyId) -> Result<(), Error> {
        let change = self.change(admin).await?;
        let key = find(&change, admin, id).await?;
        store::keys::delete(&change, admin.id(), id).await?;
        let detail =
            json!({ "terms": KeyDraft::of(&key), "secret": key.hint, "was_active": key.status() == Status::Active });
        change.commit(Event { actor: admin.actor(), action: "key.deleted", subject: id.as_str(), detail }).await?;
        Ok(())
    }
}
