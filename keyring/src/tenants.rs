//! Tenants: made and changed by the operator.

use domain::{
    field::{Field, FieldError, FieldErrors},
    group::{self, Group, GroupType},
    id::TenantId,
    key_draft::bad_name,
    permission::Permission,
    tenant::{DEFAULT_KEY_LIMIT, MOST_KEYS, Tenant, is_slug},
};
use serde_json::json;

use crate::{
    Keyring,
    access::{Actor, TenantAdmin},
    error::Error,
    secret::new_id,
    store::{self, Chain, Change, Event},
    zone::TimeZone,
};

/// What a new tenant is made of.
#[derive(Debug, Clone)]
pub struct NewTenant {
    pub slug: String,
    pub name: String,
    pub key_limit: Option<u32>,
    pub time_zone: Option<String>,
}

/// What of a tenant is to change; the rest stays.
#[derive(Debug, Clone, Default)]
pub struct TenantChange {
    pub name: Option<String>,
    pub key_limit: Option<u32>,
    pub api_keys: Option<bool>,
    pub time_zone: Option<String>,
}

/// The groups that every tenant starts with.
const FIRST_GROUPS: [(&str, &str); 3] = [("Full access", "*"), ("Read only", "*:read"), ("Verifier", "keys:verify")];

impl Keyring {
    /// Makes a tenant with its first groups.
    ///
    /// # Errors
    /// When a field is wrong or the slug is taken.
    pub async fn create_tenant(&self, new: NewTenant) -> Result<Tenant, Error> {
        let now = self.now();
        let tenant = Tenant {
            id: new_id(now),
            slug: new.slug,
            name: new.name,
            key_limit: new.key_limit.unwrap_or(DEFAULT_KEY_LIMIT),
            api_keys: true,
            time_zone: new.time_zone.unwrap_or_else(|| "UTC".to_owned()),
        };
        let tenant = checked(tenant)?;
        let change = Change::begin(&self.database, Chain::Tenant(&tenant.id), now).await?;
        if !store::tenants::insert(&change, &tenant).await? {
            let taken = FieldError::new(Field::Slug, "taken", "Another tenant has this slug. Choose a different one.");
            return Err(FieldErrors::from(taken).into());
        }
        insert_first_groups(&change, &tenant.id).await?;
        let actor = Actor::operator();
        let detail = json!({ "slug": tenant.slug, "name": tenant.name, "key_limit": tenant.key_limit });
        change.commit(Event { actor: &actor, action: "tenant.created", subject: id(&tenant), detail }).await?;
        Ok(tenant)
    }

    /// Changes a tenant's name, limit, subscription or time zone.
    ///
    /// # Errors
    /// When a field is wrong.
    pub async fn change_tenant(&self, admin: &TenantAdmin, wanted: TenantChange) -> Result<Tenant, Error> {
        let change = Change::begin(&self.database, Chain::Tenant(admin.id()), self.now()).await?;
        let found = store::tenants::find_on(change.on(), admin.id()).await?;
        let before = found.ok_or(Error::NotFound(crate::error::Thing::Tenant))?;
        let after = checked(Tenant {
            name: wanted.name.unwrap_or_else(|| before.name.clone()),
            key_limit: wanted.key_limit.unwrap_or(before.key_limit),
            api_keys: wanted.api_keys.unwrap_or(before.api_keys),
            time_zone: wanted.time_zone.unwrap_or_else(|| before.time_zone.clone()),
            ..before.clone()
        })?;
        store::tenants::update(&change, &after).await?;
        let detail = json!({ "before": before, "after": after });
        change.commit(Event { actor: admin.actor(), action: "tenant.changed", subject: id(&after), detail }).await?;
        Ok(after)
    }

    /// Every tenant, by slug. For the operator.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tenants(&self) -> Result<Vec<Tenant>, Error> {
        Ok(store::tenants::list(&self.database).await?)
    }
}

fn id(tenant: &Tenant) -> &str {
    use domain::id::Id as _;
    tenant.id.as_str()
}

fn checked(tenant: Tenant) -> Result<Tenant, FieldErrors> {
    let mut errors = FieldErrors::default();
    let name = errors
        .collect(group::NAME.trimmed(&tenant.name, false).map_err(|bad| vec![bad_name(Field::Name, group::NAME, bad)]));
    if !is_slug(&tenant.slug) {
        let detail = "Use 2 to 50 lower-case letters, digits and single hyphens, for example acme-hotels.";
        errors.0.push(FieldError::new(Field::Slug, "not_a_slug", detail));
    }
    if tenant.key_limit > MOST_KEYS {
        errors.0.push(FieldError::new(Field::KeyLimit, "out_of_range", format!("Use a limit of up to {MOST_KEYS}.")));
    }
    if TimeZone::named(&tenant.time_zone).is_none() {
        let detail = "Use the name of an IANA time zone, for example Europe/Lisbon.";
        errors.0.push(FieldError::new(Field::TimeZone, "unknown", detail));
    }
    match name {
        Some(name) if errors.is_empty() => Ok(Tenant { name, ..tenant }),
        _ => Err(errors),
    }
}

async fn insert_first_groups(change: &Change, tenant: &TenantId) -> Result<(), Error> {
    for (name, permission) in FIRST_GROUPS {
        let Ok(permission) = Permission::parse(permission) else { unreachable!("the constants above are permissions") };
        let group = Group {
            id: new_id(change.now()),
            name: name.to_owned(),
            group_type: GroupType::TenantApiKey,
            permissions: vec![permission],
        };
        store::groups::insert(change, tenant, &group).await?;
    }
    Ok(())
}
