//! Generating a key.

use domain::{expiration::ExpirationDraft, field::FieldErrors, id::Id, key_draft::KeyDraft, secret::KeyKind};
use serde_json::json;

use super::{NewSecret, check_words, choices};
use crate::{
    Keyring,
    access::TenantAdmin,
    error::{Error, Thing},
    secret::{FreshSecret, new_id},
    store::{self, Event},
    zone::TimeZone,
};

/// A new key, as it was typed.
#[derive(Debug, Clone)]
pub struct NewKey {
    pub draft: KeyDraft,
    pub expiration: ExpirationDraft,
}

impl Keyring {
    /// Generates a key and hands out its secret, this once.
    ///
    /// # Errors
    /// Names every wrong field; refuses when the tenant is at its limit.
    pub async fn generate_key(&self, admin: &TenantAdmin, new: &NewKey) -> Result<NewSecret, Error> {
        let change = self.change(admin).await?;
        let zone = TimeZone::of(admin.tenant());
        let mut errors = FieldErrors::default();
        let terms = new.draft.parse(&choices(&change, admin).await?).map_err(|wrong| errors.0.extend(wrong.0)).ok();
        let expiration = errors.collect(new.expiration.parse(zone.moment(change.now())).map_err(|error| vec![error]));
        errors.collect(check_words(&new.draft).map_err(|wrong| wrong.0));
        let (Some(terms), Some(expiration), true) = (terms, expiration, errors.is_empty()) else {
            return Err(errors.into());
        };

        let tenant = store::tenants::find_on(change.on(), admin.id()).await?.ok_or(Error::NotFound(Thing::Tenant))?;
        if store::keys::count_active(change.on(), admin.id()).await? >= u64::from(tenant.key_limit) {
            return Err(Error::LimitReached { limit: tenant.key_limit });
        }
        let secret = FreshSecret::generate(&self.product, KeyKind::Tenant);
        let (id, expires_at) = (new_id(change.now()), zone.resolve(expiration));
        store::keys::insert(&change, admin.id(), &id, &terms, expires_at, &admin.actor().id, &secret).await?;
        let detail = json!({ "terms": terms, "expires_at": expires_at, "secret": secret.hint });
        change.commit(Event { actor: admin.actor(), action: "key.generated", subject: id.as_str(), detail }).await?;
        Ok(NewSecret { id, secret: secret.plain })
    }
}
