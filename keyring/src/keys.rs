//! The life of a tenant's keys.

use domain::{
    expiration::Moment,
    field::{Field, FieldError, FieldErrors},
    group::GroupType,
    id::{Id, KeyId},
    key::{Key, Status},
    key_draft::{Choices, KeyDraft},
    key_list::{KeyListQuery, KeyPage},
    secret::is_within,
};
use secrecy::SecretString;

use crate::{
    Keyring,
    access::TenantAdmin,
    error::{Changed, Error, Thing},
    store::{self, Chain, Change},
    zone::TimeZone,
};

mod edit;
mod end;
mod generate;
mod rotate;

pub use generate::NewKey;
pub use rotate::Rotation;

/// The one answer that carries a secret in the clear.
pub struct NewSecret {
    pub id: KeyId,
    pub secret: SecretString,
}

impl Keyring {
    /// One page of the tenant's keys.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keys(&self, admin: &TenantAdmin, query: &KeyListQuery) -> Result<KeyPage, Error> {
        Ok(store::keys::list::page(self.database.connection(), admin.id(), query, self.now()).await?)
    }

    /// How many keys count towards the tenant's limit.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn active_keys(&self, admin: &TenantAdmin) -> Result<u64, Error> {
        Ok(store::keys::count_active(self.database.connection(), admin.id()).await?)
    }

    /// One key.
    ///
    /// # Errors
    /// When the tenant has no such key.
    pub async fn key(&self, admin: &TenantAdmin, id: &KeyId) -> Result<Key, Error> {
        let found = store::keys::find(self.database.connection(), admin.id(), id, self.now()).await?;
        found.ok_or(Error::NotFound(Thing::Key))
    }

    /// What a key of the tenant can be given.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn key_choices(&self, admin: &TenantAdmin) -> Result<Choices, Error> {
        Ok(Choices {
            groups: for_keys(store::groups::list(self.database.connection(), admin.id()).await?),
            properties: store::properties::list(self.database.connection(), admin.id()).await?,
        })
    }

    /// The present, as the tenant's clocks show it.
    #[must_use]
    pub fn moment(&self, admin: &TenantAdmin) -> Moment {
        TimeZone::of(admin.tenant()).moment(self.now())
    }

    async fn change(&self, admin: &TenantAdmin) -> Result<Change, Error> {
        Ok(Change::begin(&self.database, Chain::Tenant(admin.id()), self.now()).await?)
    }
}

fn for_keys(mut groups: Vec<domain::group::Group>) -> Vec<domain::group::Group> {
    groups.retain(|group| group.group_type == GroupType::TenantApiKey);
    groups
}

/// The choices as they stand within a change.
async fn choices(change: &Change, admin: &TenantAdmin) -> Result<Choices, Error> {
    Ok(Choices {
        groups: for_keys(store::groups::list(change.on(), admin.id()).await?),
        properties: store::properties::list(change.on(), admin.id()).await?,
    })
}

async fn find(change: &Change, admin: &TenantAdmin, id: &KeyId) -> Result<Key, Error> {
    let found = store::keys::find(change.on(), admin.id(), id, change.now()).await?;
    found.ok_or(Error::NotFound(Thing::Key))
}

/// What is written about a key is shown, searched and logged, so nobody's secret may stand in it.
fn check_words(draft: &KeyDraft) -> Result<(), FieldErrors> {
    let words = [(Field::Name, &draft.name), (Field::Description, &draft.description)];
    let refused = |field| {
        FieldError::new(field, "holds_a_secret", "Take the API key's secret out of here: everybody could read it.")
    };
    let errors = words.into_iter().filter(|(_, text)| is_within(text)).map(|(field, _)| refused(field)).collect();
    let errors = FieldErrors(errors);
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// The key, when it can still be changed and is as the person last saw it.
async fn find_unchanged(change: &Change, admin: &TenantAdmin, id: &KeyId, seen: i32) -> Result<Key, Error> {
    let key = find(change, admin, id).await?;
    if key.status() == Status::Revoked {
        return Err(Error::Revoked);
    }
    if key.version == seen {
        return Ok(key);
    }
    let last = store::last_change(change.on(), admin.id(), id.as_str()).await?;
    let (by, at) = last.unwrap_or_else(|| ("Somebody".to_owned(), key.created_at));
    Err(Error::Changed(Box::new(Changed { current: key, by, at })))
}
