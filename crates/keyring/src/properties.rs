//! Properties of a tenant.

use chrono::{DateTime, Utc};
use domain::{
    audit::Action,
    caller::Caller,
    ensured::Ensured,
    field::{Field, FieldError, FieldErrors},
    group::parse_name,
    id::{Id, PropertyId},
    property::Property,
};
use serde::Serialize;
use serde_json::{Value, json};
use store::{
    Event, Subject,
    model::{KeyNames, TenantProperty},
};

use crate::{
    Keyring,
    access::{TenantAdmin, ViewKeys},
    audit,
    change::Change,
    error::{Error, Thing},
    secret::new_id,
};

/// The input for a new property.
#[derive(Debug, Clone)]
pub struct NewProperty {
    pub name: String,
}

/// Another name for a property.
#[derive(Debug, Clone)]
pub struct Renaming {
    /// The name that the person saw; none when they did not look.
    pub seen: Option<String>,
    pub name: String,
}

/// A property among the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PropertyOverview {
    #[serde(flatten)]
    pub property: TenantProperty,
    /// The number of active keys that are restricted to this property among others.
    pub active_keys: u64,
}

/// A property and what reaches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyDetail {
    pub property: TenantProperty,
    pub keys: KeyNames,
}

impl Keyring {
    /// Makes a property.
    ///
    /// # Errors
    /// If the name is wrong or the tenant has a property of this name.
    pub async fn create_property(&self, admin: &TenantAdmin, new: NewProperty) -> Result<Property, Error> {
        match self.ensure_property(admin, new).await? {
            Ensured::Created(property) => Ok(property),
            Ensured::Existing(existing) => Err(name_taken(&existing)),
        }
    }

    /// Makes a property unless the tenant has one with this name.
    ///
    /// # Errors
    /// If the name is wrong or an archived property has it.
    pub async fn ensure_property(
        &self,
        admin: &TenantAdmin,
        new: NewProperty,
    ) -> Result<Ensured<Property, TenantProperty>, Error> {
        let name = parse_name(&new.name).map_err(FieldErrors::from)?;
        let change = self.change(admin).await?;
        match store::properties::named(&change, admin.id(), &name).await? {
            None => {}
            Some(existing) if existing.archived_at.is_none() => return Ok(Ensured::Existing(existing)),
            Some(archived) => return Err(name_taken(&archived)),
        }
        let property = Property { id: new_id(change.now()), name };
        store::properties::insert(&change, admin.id(), &property).await?;
        let detail = json!({ "name": property.name });
        change.commit(event(Action::PropertyCreated, &property, detail)).await?;
        Ok(Ensured::Created(property))
    }

    /// Gives a property another name.
    ///
    /// # Errors
    /// If there is no such property, the name is invalid or taken, or another admin renamed it concurrently.
    pub async fn rename_property(
        &self,
        admin: &TenantAdmin,
        id: &PropertyId,
        renaming: &Renaming,
    ) -> Result<TenantProperty, Error> {
        let name = parse_name(&renaming.name).map_err(FieldErrors::from)?;
        let change = self.change(admin).await?;
        let before = load_property(&change, admin, id).await?;
        if before.property.name == name {
            return Ok(before);
        }
        if renaming.seen.as_ref().is_some_and(|seen| *seen != before.property.name) {
            return Err(audit::outdated(&change, admin, Thing::Property, id).await?);
        }
        check_is_free(&change, admin, &name).await?;
        let after = TenantProperty { property: Property { id: id.clone(), name }, ..before.clone() };
        store::properties::update(&change, admin.id(), &after).await?;
        let detail = json!({ "before": before.property.name, "after": after.property.name });
        change.commit(event(Action::PropertyRenamed, &after.property, detail)).await?;
        Ok(after)
    }

    /// Takes a property out of the reach of all keys. They keep it in their selection. Archiving it again changes
    /// nothing.
    ///
    /// # Errors
    /// If there is no such property.
    pub async fn archive_property(&self, admin: &TenantAdmin, id: &PropertyId) -> Result<TenantProperty, Error> {
        let change = self.change(admin).await?;
        let now = change.now();
        self.set_archived(change, admin, id, Some(now)).await
    }

    /// Brings a property back to the keys that have it in their selection.
    ///
    /// # Errors
    /// If there is no such property.
    pub async fn restore_property(&self, admin: &TenantAdmin, id: &PropertyId) -> Result<TenantProperty, Error> {
        let change = self.change(admin).await?;
        self.set_archived(change, admin, id, None).await
    }

    async fn set_archived(
        &self,
        change: Change,
        admin: &TenantAdmin,
        id: &PropertyId,
        archived_at: Option<DateTime<Utc>>,
    ) -> Result<TenantProperty, Error> {
        let before = load_property(&change, admin, id).await?;
        if before.archived_at.is_some() == archived_at.is_some() {
            change.already_made().await?;
            return Ok(before);
        }
        let action = if archived_at.is_some() { Action::PropertyArchived } else { Action::PropertyRestored };
        let after = TenantProperty { archived_at, ..before };
        store::properties::update(&change, admin.id(), &after).await?;
        change.commit(event(action, &after.property, json!({}))).await?;
        Ok(after)
    }

    /// Returns this many of the tenant's properties in the caller's scope by ascending id, starting after `after`, and
    /// the id of the last one if there are more.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn reachable_properties(
        &self,
        caller: &Caller,
        limit: u16,
        after: Option<&str>,
    ) -> Result<(Vec<Property>, Option<PropertyId>), Error> {
        let start = after.map_or(0, |after| caller.properties.partition_point(|id| id.as_str() <= after));
        let rest = &caller.properties[start..];
        let (page, beyond) = rest.split_at(rest.len().min(limit.into()));
        let next = page.last().filter(|_| !beyond.is_empty()).cloned();
        Ok((store::properties::with_ids(&self.database, &caller.tenant, page).await?, next))
    }

    /// A property that a caller reaches.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn reachable_property(&self, caller: &Caller, id: &str) -> Result<Option<Property>, Error> {
        let Ok(id) = PropertyId::parse(id) else { return Ok(None) };
        if !caller.reaches(&id) {
            return Ok(None);
        }
        Ok(store::properties::find_property(&self.database, &caller.tenant, &id).await?)
    }

    /// The properties that the tenant's keys can be given, by name.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn properties(&self, admin: &TenantAdmin) -> Result<Vec<Property>, Error> {
        Ok(store::properties::list(self.database.connection(), admin.id()).await?)
    }

    /// All of the tenant's properties by name, the archived ones as well.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn property_overviews(&self, admin: &TenantAdmin) -> Result<Vec<PropertyOverview>, Error> {
        let connection = self.database.connection();
        let properties = store::properties::all_properties(connection, admin.id()).await?;
        let reaching = store::keys::holders::per_property(connection, admin.key_scope()).await?;
        let overview = |property: TenantProperty| {
            let active_keys = reaching.count(&property.property.id);
            PropertyOverview { property, active_keys }
        };
        Ok(properties.into_iter().map(overview).collect())
    }

    /// A property, even an archived one, and the active keys that have it in their selection.
    ///
    /// # Errors
    /// If there is no such property.
    pub async fn property_detail(&self, admin: &TenantAdmin, id: &PropertyId) -> Result<PropertyDetail, Error> {
        let connection = self.database.connection();
        let property = store::properties::any(connection, admin.id(), id).await?;
        let property = property.ok_or(Error::NotFound(Thing::Property))?;
        let keys = store::keys::holders::of_property(connection, admin.key_scope(), id).await?;
        Ok(PropertyDetail { property, keys })
    }

    /// The operator, acting for the tenant that has this property.
    ///
    /// # Errors
    /// If there is no such property.
    pub async fn operator_for_property(&self, id: &PropertyId) -> Result<TenantAdmin, Error> {
        let tenant = store::properties::tenant_of(self.database.connection(), id).await?;
        self.operator_for(tenant.ok_or(Error::NotFound(Thing::Property))?.as_str()).await
    }
}

async fn load_property(change: &Change, admin: &TenantAdmin, id: &PropertyId) -> Result<TenantProperty, Error> {
    let found = store::properties::any(change.on(), admin.id(), id).await?;
    found.ok_or(Error::NotFound(Thing::Property))
}

/// Inside the change, no other transaction can take the name.
async fn check_is_free(change: &Change, admin: &TenantAdmin, name: &str) -> Result<(), Error> {
    store::properties::named(change, admin.id(), name).await?.map_or(Ok(()), |existing| Err(name_taken(&existing)))
}

fn name_taken(existing: &TenantProperty) -> Error {
    let detail = match existing.archived_at {
        None => "The tenant already has a property with this name.",
        Some(_) => "An archived property has this name. Restore it, or give it another name first.",
    };
    FieldErrors::from(FieldError::new(Field::Name, "taken", detail)).into()
}

fn event<'a>(action: Action, property: &'a Property, detail: Value) -> Event<'a> {
    Event { action, subject: Subject::new(&property.id, &property.name), detail }
}
