//! Generating a key.

use domain::{audit::Action, expiration::ExpirationDraft, field::FieldErrors, key_draft::KeyDraft, tenant::Tenant};
use serde_json::json;

use super::{MOST_PERSONAL_KEYS, NewSecret, check_words, choices, subscribed};
use crate::{
    Keyring,
    access::{Keeper, Kept},
    error::Error,
    secret::{FreshSecret, new_id},
    store::{self, Change, Event, Subject},
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
    /// Names every wrong field; refuses at the limit, and without a subscription.
    pub async fn generate_key(&self, keeper: &impl Keeper, new: &NewKey) -> Result<NewSecret, Error> {
        let change = self.change(keeper).await?;
        let tenant = subscribed(&change, keeper).await?;
        let zone = TimeZone::of(keeper.tenant());
        let mut errors = FieldErrors::default();
        let terms =
            new.draft.parse(&choices(change.on(), keeper).await?).map_err(|wrong| errors.0.extend(wrong.0)).ok();
        let expiration = errors.collect(new.expiration.parse(zone.moment(change.now())));
        errors.collect(check_words(&new.draft).map_err(|wrong| wrong.0));
        let (Some(terms), Some(expiration), true) = (terms, expiration, errors.is_empty()) else {
            return Err(errors.into());
        };

        check_limit(&change, keeper, &tenant).await?;
        let secret = FreshSecret::generate(&self.product, keeper.shelf().kind());
        let (id, expires_at) = (new_id(change.now()), zone.resolve(expiration));
        store::keys::insert(&change, keeper.shelf(), &id, &terms, expires_at, &change.actor().id, &secret).await?;
        let detail = json!({ "terms": terms, "expires_at": expires_at, "secret": secret.hint });
        change.commit(Event { action: Action::KeyGenerated, subject: Subject::new(&id, &terms.name), detail }).await?;
        Ok(NewSecret { id, secret: secret.plain })
    }
}

async fn check_limit(change: &Change, keeper: &impl Keeper, tenant: &Tenant) -> Result<(), Error> {
    let active = store::keys::count_active(change.on(), keeper.shelf()).await?;
    match keeper.shelf().keys {
        Kept::Tenant if active >= u64::from(tenant.key_limit) => Err(Error::LimitReached { limit: tenant.key_limit }),
        Kept::Person(_) if active >= u64::from(MOST_PERSONAL_KEYS) => {
            Err(Error::OwnLimitReached { limit: MOST_PERSONAL_KEYS })
        }
        _ => Ok(()),
    }
}
