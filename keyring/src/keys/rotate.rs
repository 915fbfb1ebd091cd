//! Rotating a key: a new secret for the same key.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    expiration::ExpirationDraft,
    field::{Field, FieldError, FieldErrors},
    id::{Id, KeyId},
    key::{Key, Validity},
    key_draft::Grace,
    secret::KeyKind,
};
use serde_json::json;

use super::{NewSecret, find_unchanged};
use crate::{
    Keyring,
    access::TenantAdmin,
    error::Error,
    secret::FreshSecret,
    store::{self, Change, Event},
    zone::TimeZone,
};

/// What a rotation is to do besides giving the key a new secret.
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
    /// When the key was revoked, or changed by somebody else meanwhile, or would be expired all the same.
    pub async fn rotate_key(
        &self,
        admin: &TenantAdmin,
        id: &KeyId,
        seen: i32,
        rotation: &Rotation,
    ) -> Result<NewSecret, Error> {
        let change = self.change(admin).await?;
        let key = find_unchanged(&change, admin, id, seen).await?;
        let expires_at = new_expiration(&change, admin, &key, rotation)?;
        let secret = FreshSecret::generate(&self.product, KeyKind::Tenant);
        let grace = TimeDelta::hours(rotation.grace.hours());
        store::keys::replace_secret(&change, admin.id(), &key, &secret, expires_at, grace).await?;
        let detail = json!({
            "name": key.name,
            "before": { "secret": key.hint, "expires_at": key.expires_at },
            "after": { "secret": secret.hint, "expires_at": expires_at },
            "grace": rotation.grace.as_str(),
        });
        change.commit(Event { actor: admin.actor(), action: "key.rotated", subject: id.as_str(), detail }).await?;
        Ok(NewSecret { id: id.clone(), secret: secret.plain })
    }

    /// Ends the grace period of the secret from before the last rotation; without one, nothing happens.
    ///
    /// # Errors
    /// When the tenant has no such key.
    pub async fn end_grace(&self, admin: &TenantAdmin, id: &KeyId) -> Result<(), Error> {
        let change = self.change(admin).await?;
        let key = super::find(&change, admin, id).await?;
        let Some(until) = key.old_secret_until else { return Ok(()) };
        store::keys::end_grace(&change, admin.id(), &key).await?;
        let detail = json!({ "name": key.name, "would_have_ended": until });
        change.commit(Event { actor: admin.actor(), action: "key.grace_ended", subject: id.as_str(), detail }).await?;
        Ok(())
    }
}

fn new_expiration(
    change: &Change,
    admin: &TenantAdmin,
    key: &Key,
    rotation: &Rotation,
) -> Result<Option<DateTime<Utc>>, FieldErrors> {
    let Some(draft) = &rotation.expiration else {
        if key.validity(change.now()) == Validity::Expired {
            let detail = "The key has expired. Give it a new expiration, or its new secret would be of no use.";
            return Err(FieldError::new(Field::ExpiresAt, "expired", detail).into());
        }
        return Ok(key.expires_at);
    };
    let zone = TimeZone::of(admin.tenant());
    Ok(zone.resolve(draft.parse(zone.moment(change.now()))?))
}
