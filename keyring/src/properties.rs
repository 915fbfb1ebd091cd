//! Properties of a tenant.

use domain::{
    audit::Action,
    caller::Caller,
    field::{Field, FieldError, FieldErrors},
    group,
    id::{Id, PropertyId},
    key_draft::bad_name,
    property::Property,
};
use serde_json::json;

use crate::{
    Keyring,
    access::TenantAdmin,
    error::Error,
    secret::new_id,
    store::{self, Chain, Change, Event, Subject},
};

/// What a new property is made of.
#[derive(Debug, Clone)]
pub struct NewProperty {
    pub name: String,
}

impl Keyring {
    /// Makes a property.
    ///
    /// # Errors
    /// When the name is wrong or the tenant has a property of this name.
    pub async fn create_property(&self, admin: &TenantAdmin, new: NewProperty) -> Result<Property, Error> {
        let name = group::NAME
            .trimmed(&new.name, false)
            .map_err(|bad| FieldErrors::from(bad_name(Field::Name, group::NAME, bad)))?;
        let change = Change::begin(&self.database, Chain::Tenant(admin.id()), self.now()).await?;
        let property = Property { id: new_id(change.now()), name };
        if !store::properties::insert(&change, admin.id(), &property).await? {
            let taken = FieldError::new(Field::Name, "taken", "The tenant has a property of this name.");
            return Err(FieldErrors::from(taken).into());
        }
        let detail = json!({ "name": property.name });
        let event = Event {
            actor: admin.actor(),
            action: Action::PropertyCreated,
            subject: Subject::new(&property.id, &property.name),
            detail,
        };
        change.commit(event).await?;
        Ok(property)
    }

    /// Those of the tenant's properties that a caller reaches, in the order of their ids: so many of them, from the
    /// one after `after`. With them comes the last of them, when there are more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reachable_properties(
        &self,
        caller: &Caller,
        limit: u16,
        after: Option<&str>,
    ) -> Result<(Vec<Property>, Option<PropertyId>), Error> {
        let one_more = u64::from(limit) + 1;
        let found = store::properties::page(&self.database, &caller.tenant, &caller.reach, after, one_more).await?;
        let fits = usize::from(limit);
        let next = (found.len() > fits).then(|| found[fits - 1].id.clone());
        Ok((found.into_iter().take(fits).collect(), next))
    }

    /// A property that a caller reaches.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reachable_property(&self, caller: &Caller, id: &str) -> Result<Option<Property>, Error> {
        let Ok(id) = PropertyId::parse(id) else { return Ok(None) };
        if !caller.reach.contains(&id) {
            return Ok(None);
        }
        Ok(store::properties::find(&self.database, &caller.tenant, &id).await?)
    }

    /// The tenant's properties, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn properties(&self, admin: &TenantAdmin) -> Result<Vec<Property>, Error> {
        Ok(store::properties::list(self.database.connection(), admin.id()).await?)
    }
}
