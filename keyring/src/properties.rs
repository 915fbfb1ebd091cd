//! Properties of a tenant.

use domain::{
    field::{Field, FieldError, FieldErrors},
    group,
    id::Id,
    key_draft::bad_name,
    property::Property,
};
use serde_json::json;

use crate::{
    Keyring,
    access::TenantAdmin,
    error::Error,
    secret::new_id,
    store::{self, Chain, Change, Event},
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
        let event = Event { actor: admin.actor(), action: "property.created", subject: property.id.as_str(), detail };
        change.commit(event).await?;
        Ok(property)
    }

    /// The tenant's properties, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn properties(&self, admin: &TenantAdmin) -> Result<Vec<Property>, Error> {
        Ok(store::properties::list(self.database.connection(), admin.id()).await?)
    }
}
