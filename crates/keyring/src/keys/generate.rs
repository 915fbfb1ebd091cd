//! Generating a key.

use domain::{
    audit::Action, ensured::Ensured, expiration::ExpirationDraft, field::FieldErrors, key::Key, key_draft::KeyDraft,
    tenant::Tenant, zone::TimeZone,
};
use serde_json::json;
use store::{Event, Subject, model::KeySet};

use super::{MAX_PERSONAL_KEYS, NewSecret, check_words, choices, load_key, subscribed};
use crate::{
    Keyring,
    access::ManageKeys,
    change::Change,
    error::Error,
    secret::{FreshSecret, new_id},
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
    /// Names every wrong field; refuses at the limit, and without a subscription.
    pub async fn generate_key(&self, manager: &impl ManageKeys, new: &NewKey) -> Result<NewSecret, Error> {
        let change = self.change(manager).await?;
        self.generate(change, manager, new).await
    }

    /// Generates a key unless there is an active one with this name.
    ///
    /// # Errors
    /// As for [`generate_key`](Self::generate_key).
    pub async fn ensure_key(&self, manager: &impl ManageKeys, new: &NewKey) -> Result<Ensured<NewSecret, Key>, Error> {
        let change = self.change(manager).await?;
        match store::keys::active_named(&change, manager.key_scope(), new.draft.name.trim()).await? {
            Some(id) => Ok(Ensured::Existing(load_key(&change, manager, &id).await?)),
            None => Ok(Ensured::Created(self.generate(change, manager, new).await?)),
        }
    }

    async fn generate(&self, change: Change, manager: &impl ManageKeys, new: &NewKey) -> Result<NewSecret, Error> {
        let tenant = subscribed(&change, manager).await?;
        let zone = TimeZone::of(manager.tenant());
        let mut errors = FieldErrors::default();
        let terms =
            new.draft.parse(&choices(change.on(), manager).await?).map_err(|wrong| errors.0.extend(wrong.0)).ok();
        let expiration = errors.collect(new.expiration.parse(zone.moment(change.now())));
        errors.collect(check_words(&new.draft).map_err(|wrong| wrong.0));
        let (Some(terms), Some(expiration), true) = (terms, expiration, errors.is_empty()) else {
            return Err(errors.into());
        };

        check_limit(&change, manager, &tenant).await?;
        let secret = FreshSecret::generate(&self.product, manager.key_scope().kind(), change.now());
        let (id, expires_at) = (new_id(change.now()), zone.resolve(expiration));
        store::keys::insert(&change, manager.key_scope(), &id, &terms, expires_at, &change.actor().id, secret.row())
            .await?;
        let detail = json!({ "terms": terms, "expires_at": expires_at, "secret": secret.hint });
        change.commit(Event { action: Action::KeyGenerated, subject: Subject::new(&id, &terms.name), detail }).await?;
        Ok(NewSecret { id, secret: secret.plain })
    }
}

async fn check_limit(change: &Change, manager: &impl ManageKeys, tenant: &Tenant) -> Result<(), Error> {
    let active = store::keys::count_active(change.on(), manager.key_scope()).await?;
    match manager.key_scope().keys {
        KeySet::Tenant if active >= u64::from(tenant.key_limit) => Err(Error::LimitReached { limit: tenant.key_limit }),
        KeySet::Person(_) if active >= u64::from(MAX_PERSONAL_KEYS) => {
            Err(Error::OwnLimitReached { limit: MAX_PERSONAL_KEYS })
        }
        _ => Ok(()),
    }
}
