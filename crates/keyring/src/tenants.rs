//! Tenants: made and changed by the operator and by super users.

use chrono::{DateTime, Utc};
use domain::{
    audit::Action,
    field::{Field, FieldError, FieldErrors},
    group::{Group, GroupType, parse_name},
    id::TenantId,
    permission::Permission,
    person::Role,
    tenant::{DEFAULT_KEY_LIMIT, MAX_KEY_LIMIT, Tenant, is_slug},
    zone::TimeZone,
};
use serde_json::json;
use store::{Chain, Event, Subject, model::TenantOverview};

use crate::{
    Keyring,
    access::SuperUser,
    change::Change,
    error::{Error, Thing},
    people::{Invitation, NewInvitation, invite},
    secret::new_id,
};

/// The input for a new tenant.
#[derive(Debug, Clone)]
pub struct NewTenant {
    pub slug: String,
    pub name: String,
    pub key_limit: Option<u32>,
    pub time_zone: Option<String>,
}

/// The fields of a tenant to change. None keeps a value.
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
    /// If a field is wrong or the slug is taken.
    pub async fn create_tenant(&self, by: &SuperUser, new: NewTenant) -> Result<Tenant, Error> {
        let tenant = new.parse(self.now())?;
        let change = self.begin_change(Chain::Tenant(&tenant.id), by.actor()).await?;
        insert(&change, &tenant).await?;
        change.commit(created(&tenant)).await?;
        Ok(tenant)
    }

    /// Makes a tenant with its first groups, and invites its first admin.
    ///
    /// # Errors
    /// Names every wrong field; refuses a slug or an e-mail address that is taken. Then nothing is made.
    pub async fn create_tenant_with_admin(
        &self,
        by: &SuperUser,
        new: NewTenant,
        admin: &NewInvitation,
    ) -> Result<(Tenant, Invitation), Error> {
        let admins_fields = admin.parse().map_err(about_the_admin);
        let (tenant, _) = FieldErrors::both(new.parse(self.now()), admins_fields)?;
        let mut change = self.begin_change(Chain::Tenant(&tenant.id), by.actor()).await?;
        insert(&change, &tenant).await?;
        let invitation = invite(&change, &tenant.id, admin, Role::TenantAdmin).await?;
        change.append_event(created(&tenant)).await?;
        let person = &invitation.person;
        let subject = Subject::new(&person.id, &person.name);
        let after = json!({ "email": person.email, "role": person.role });
        let detail = json!({ "after": after, "expires_at": invitation.expires_at });
        change.commit(Event { action: Action::PersonInvited, subject, detail }).await?;
        Ok((tenant, invitation))
    }

    /// Changes a tenant's name, limit, subscription or time zone.
    ///
    /// # Errors
    /// If a field is wrong, or there is no such tenant.
    pub async fn change_tenant(&self, by: &SuperUser, id: &TenantId, wanted: TenantChange) -> Result<Tenant, Error> {
        let change = self.begin_change(Chain::Tenant(id), by.actor()).await?;
        let before = load_tenant(&change, id).await?;
        let after = checked(Tenant {
            name: wanted.name.unwrap_or_else(|| before.name.clone()),
            key_limit: wanted.key_limit.unwrap_or(before.key_limit),
            api_keys: wanted.api_keys.unwrap_or(before.api_keys),
            time_zone: wanted.time_zone.unwrap_or_else(|| before.time_zone.clone()),
            ..before.clone()
        })?;
        save(change, &before, &after).await?;
        Ok(after)
    }

    /// Every tenant, by slug, with how much there is in it.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn tenants(&self, _: &SuperUser) -> Result<Vec<TenantOverview>, Error> {
        Ok(store::tenants::list(&self.database, None).await?)
    }

    /// One tenant, with how much there is in it.
    ///
    /// # Errors
    /// If there is no such tenant.
    pub async fn tenant(&self, _: &SuperUser, id: &TenantId) -> Result<TenantOverview, Error> {
        store::tenants::list(&self.database, Some(id)).await?.pop().ok_or(Error::NotFound(Thing::Tenant))
    }
}

/// The tenant has a name, too.
fn about_the_admin(mut errors: FieldErrors) -> FieldErrors {
    for error in &mut errors.0 {
        if error.field == Field::Name {
            error.field = Field::AdminName;
        }
    }
    errors
}

/// A key limit as it was typed. What is no number is out of range.
#[must_use]
pub fn typed_key_limit(text: &str) -> u32 {
    text.trim().parse().unwrap_or(u32::MAX)
}

impl NewTenant {
    fn parse(self, now: DateTime<Utc>) -> Result<Tenant, FieldErrors> {
        checked(Tenant {
            id: new_id(now),
            slug: self.slug,
            name: self.name,
            key_limit: self.key_limit.unwrap_or(DEFAULT_KEY_LIMIT),
            api_keys: true,
            time_zone: self.time_zone.unwrap_or_else(|| "UTC".to_owned()),
            requires_second_factor: false,
        })
    }
}

/// The tenant as it stands within a change.
pub(crate) async fn load_tenant(change: &Change, id: &TenantId) -> Result<Tenant, Error> {
    store::tenants::find_on(change.on(), id).await?.ok_or(Error::NotFound(Thing::Tenant))
}

/// Stores the new state of a tenant, unless nothing changed.
pub(crate) async fn save(change: Change, before: &Tenant, after: &Tenant) -> Result<(), Error> {
    if after == before {
        return Ok(change.already_made().await?);
    }
    store::tenants::update(&change, after).await?;
    let subject = Subject::new(&after.id, &after.name);
    let detail = json!({ "before": before, "after": after });
    change.commit(Event { action: Action::TenantChanged, subject, detail }).await
}

async fn insert(change: &Change, tenant: &Tenant) -> Result<(), Error> {
    if !store::tenants::insert(change, tenant).await? {
        let taken = FieldError::new(Field::Slug, "taken", "Another tenant has this slug. Choose a different one.");
        return Err(FieldErrors::from(taken).into());
    }
    insert_first_groups(change, &tenant.id).await
}

fn created(tenant: &Tenant) -> Event<'_> {
    let subject = Subject::new(&tenant.id, &tenant.name);
    Event { action: Action::TenantCreated, subject, detail: json!({ "after": tenant }) }
}

fn checked(tenant: Tenant) -> Result<Tenant, FieldErrors> {
    let mut errors = FieldErrors::default();
    let name = errors.collect(parse_name(&tenant.name));
    if !is_slug(&tenant.slug) {
        let detail = "Use 2 to 50 lower-case letters, digits and single hyphens, for example acme-hotels.";
        errors.0.push(FieldError::new(Field::Slug, "not_a_slug", detail));
    }
    if tenant.key_limit > MAX_KEY_LIMIT {
        errors.0.push(FieldError::new(
            Field::KeyLimit,
            "out_of_range",
            format!("Use a whole number of up to {MAX_KEY_LIMIT}."),
        ));
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
