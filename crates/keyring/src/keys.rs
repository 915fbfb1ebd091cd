//! The life of keys: those of a tenant, and the personal ones of its people.

use domain::{
    expiration::ExpiresAt,
    field::{Field, FieldError, FieldErrors},
    group::GroupType,
    id::{KeyId, PersonId},
    key::{Key, Status},
    key_draft::{Choices, KeyDraft, PermissionSource},
    key_list::{KeyListQuery, KeyPage},
    permission::Permission,
    secret::is_within,
    tenant::Tenant,
    zone::TimeZone,
};
use secrecy::SecretString;
use store::{Chain, model::KeySet};

use crate::{
    Keyring,
    access::{ManageKeys, TenantAdmin, ViewKeys},
    audit,
    change::Change,
    error::{Changed, Error, Thing},
    tenants,
};

mod edit;
mod generate;
mod revoke;
mod rotate;

pub use generate::NewKey;
pub use rotate::Rotation;

/// The maximum number of active personal keys. They do not count towards the tenant's limit, so people cannot use it up
/// for their admins.
const MAX_PERSONAL_KEYS: u32 = 10;

/// The one answer that carries a secret in the clear.
pub struct NewSecret {
    pub id: KeyId,
    pub secret: SecretString,
}

impl Keyring {
    /// Returns one page of the keys in the viewer's scope.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn keys(&self, viewer: &impl ViewKeys, query: &KeyListQuery) -> Result<KeyPage, Error> {
        Ok(store::keys::list::page(self.database.connection(), viewer.key_scope(), query, self.now()).await?)
    }

    /// Returns the number of keys that count towards the limit.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn active_keys(&self, viewer: &impl ViewKeys) -> Result<u64, Error> {
        Ok(store::keys::count_active(self.database.connection(), viewer.key_scope()).await?)
    }

    /// Returns the number of a person's active personal keys.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn active_keys_of(&self, admin: &TenantAdmin, person: &PersonId) -> Result<u64, Error> {
        Ok(store::keys::count_active(self.database.connection(), &admin.key_scope_of(person)).await?)
    }

    /// One key.
    ///
    /// # Errors
    /// If there is no such key among those that the person watches over.
    pub async fn key(&self, viewer: &impl ViewKeys, id: &KeyId) -> Result<Key, Error> {
        let found = store::keys::find_key(self.database.connection(), viewer.key_scope(), id, self.now()).await?;
        found.ok_or(Error::NotFound(Thing::Key))
    }

    /// Returns the options of the key form.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn key_choices(&self, viewer: &impl ViewKeys) -> Result<Choices, Error> {
        choices(self.database.connection(), viewer).await
    }

    /// Returns the permissions of a key with every scope: those of its group, or its owner's current ones.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn permissions_of_key(&self, viewer: &impl ViewKeys, key: &Key) -> Result<Vec<Permission>, Error> {
        let (connection, tenant) = (self.database.connection(), &viewer.tenant().id);
        if let Some(owner) = &key.owner {
            return Ok(store::people::permissions(connection, tenant, &owner.id).await?);
        }
        let picked = key.group.as_ref().map(|group| &group.id);
        let groups = store::groups::list(connection, tenant).await?;
        let group = groups.into_iter().find(|group| Some(&group.id) == picked);
        Ok(group.map(|group| group.permissions).unwrap_or_default())
    }

    /// The present, as the tenant's clocks show it.
    #[must_use]
    pub fn moment(&self, viewer: &impl ViewKeys) -> ExpiresAt {
        TimeZone::of(viewer.tenant()).moment(self.now())
    }

    pub(crate) async fn change(&self, viewer: &impl ViewKeys) -> Result<Change, Error> {
        let chain = Chain::Tenant(&viewer.tenant().id);
        self.begin_change(chain, viewer.actor()).await
    }
}

/// Returns the maximum number of active keys in the scope.
#[must_use]
pub fn key_limit(viewer: &impl ViewKeys) -> u32 {
    match viewer.key_scope().keys {
        KeySet::Tenant => viewer.tenant().key_limit,
        KeySet::Person(_) | KeySet::People => MAX_PERSONAL_KEYS,
    }
}

fn for_keys(mut groups: Vec<domain::group::Group>) -> Vec<domain::group::Group> {
    groups.retain(|group| group.group_type == GroupType::TenantApiKey);
    groups
}

/// The choices as a connection sees them: those within a change are the ones that count.
async fn choices(connection: &impl store::Connection, viewer: &impl ViewKeys) -> Result<Choices, Error> {
    let tenant = &viewer.tenant().id;
    let permission_source = match &viewer.key_scope().keys {
        KeySet::Tenant | KeySet::People => {
            PermissionSource::Groups(for_keys(store::groups::list(connection, tenant).await?))
        }
        KeySet::Person(person) => PermissionSource::Own(store::people::permissions(connection, tenant, person).await?),
    };
    Ok(Choices { permission_source, properties: store::properties::list(connection, tenant).await? })
}

async fn load_key(change: &Change, viewer: &impl ViewKeys, id: &KeyId) -> Result<Key, Error> {
    let found = store::keys::find_key(change.on(), viewer.key_scope(), id, change.now()).await?;
    found.ok_or(Error::NotFound(Thing::Key))
}

/// Loads the tenant inside the change and requires a subscription, without which no secret is issued.
async fn subscribed(change: &Change, manager: &impl ManageKeys) -> Result<Tenant, Error> {
    let tenant = tenants::load_tenant(change, &manager.tenant().id).await?;
    if tenant.api_keys { Ok(tenant) } else { Err(Error::NoSubscription) }
}

/// Refuses secrets in names and descriptions, which are displayed, searched and logged.
fn check_words(draft: &KeyDraft) -> Result<(), FieldErrors> {
    let words = [(Field::Name, &draft.name), (Field::Description, &draft.description)];
    let refused = |field| {
        FieldError::new(field, "holds_a_secret", "Remove the API key's secret from this text: everyone could read it.")
    };
    let errors = words.into_iter().filter(|(_, text)| is_within(text)).map(|(field, _)| refused(field)).collect();
    let errors = FieldErrors(errors);
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// The key, when it can still be changed and is as the person last saw it.
async fn find_unchanged(change: &Change, manager: &impl ManageKeys, id: &KeyId, seen: i32) -> Result<Key, Error> {
    let key = load_key(change, manager, id).await?;
    if key.status() == Status::Revoked {
        return Err(Error::Revoked);
    }
    if key.version == seen {
        return Ok(key);
    }
    let (by, at) = audit::last_change(change, manager, id).await?;
    Err(Error::Changed(Box::new(Changed { current: key, by, at })))
}
