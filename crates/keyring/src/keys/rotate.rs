//! Rotating a key: a new secret for the same key.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    audit::Action,
    expiration::ExpirationDraft,
    field::{Field, FieldError, FieldErrors},
    id::KeyId,
    key::{Key, Validity},
    key_draft::Grace,
    zone::TimeZone,
};
use serde_json::json;
use store::{Event, Subject};

use super::{NewSecret, find_unchanged, subscribed};
use crate::{Keyring, access::ManageKeys, change::Change, error::Error, secret::FreshSecret};

/// The options of a rotation.
#[derive(Debug, Clone, Default)]
pub struct Rotation {
    /// A new expiration; none leaves it as it is.
    pub expiration: Option<ExpirationDraft>,
    pub grace: Grace,
}

impl Keyring {
    /// Gives a key a new secret and hands it out, this once. `seen` is the version that the person started from.
    ///
    /// # Errors
    /// If the key was revoked, changed concurrently, or would still be expired.
    pub async fn rotate_key(
        &self,
        manager: &impl ManageKeys,
        id: &KeyId,
        seen: i32,
        rotation: &Rotation,
    ) -> Result<NewSecret, Error> {
        let change = self.change(manager).await?;
        let key = find_unchanged(&change, manager, id, seen).await?;
        subscribed(&change, manager).await?;
        let expires_at = new_expiration(&change, manager, &key, rotation)?;
        let secret = FreshSecret::generate(&self.product, manager.key_scope().kind(), change.now());
        let grace = TimeDelta::hours(rotation.grace.hours());
        store::keys::replace_secret(&change, manager.key_scope(), &key, secret.row(), expires_at, grace).await?;
        let detail = json!({
            "before": { "secret": key.hint, "expires_at": key.expires_at },
            "after": { "secret": secret.hint, "expires_at": expires_at },
            "grace": rotation.grace.as_str(),
        });
        change.commit(Event { action: Action::KeyRotated, subject: Subject::new(id, &key.name), detail }).await?;
        Ok(NewSecret { id: id.clone(), secret: secret.plain })
    }

    /// Ends the grace period of the secret from before the last rotation; without one, nothing happens.
    ///
    /// # Errors
    /// If there is no such key.
    pub async fn end_grace(&self, manager: &impl ManageKeys, id: &KeyId) -> Result<(), Error> {
        let change = self.change(manager).await?;
        let key = super::load_key(&change, manager, id).await?;
        let Some(until) = key.old_secret_until else { return Ok(change.already_made().await?) };
        store::keys::end_grace(&change, manager.key_scope(), &key).await?;
        let detail = json!({ "would_have_ended": until });
        change.commit(Event { action: Action::KeyGraceEnded, subject: Subject::new(id, &key.name), detail }).await?;
        Ok(())
    }
}

fn new_expiration(
    change: &Change,
    manager: &impl ManageKeys,
    key: &Key,
    rotation: &Rotation,
) -> Result<Option<DateTime<Utc>>, FieldErrors> {
    let Some(draft) = &rotation.expiration else {
        if key.validity(change.now()) == Validity::Expired {
            let detail = "The key has expired. Choose a new expiration, or its new secret will not work.";
            return Err(FieldError::new(Field::ExpiresAt, "expired", detail).into());
        }
        return Ok(key.expires_at);
    };
    let zone = TimeZone::of(manager.tenant());
    Ok(zone.resolve(draft.parse(zone.moment(change.now()))?))
}
