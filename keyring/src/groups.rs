//! Authorization groups of a tenant.

use domain::{
    audit::Action,
    field::{Field, FieldError, FieldErrors},
    group::{self, Group, GroupType},
    key_draft::bad_name,
    permission::Permission,
};
use serde_json::json;

use crate::{
    Keyring,
    access::TenantAdmin,
    error::Error,
    secret::new_id,
    store::{self, Chain, Change, Event, Subject},
};

/// What a new group is made of, as it was typed.
#[derive(Debug, Clone)]
pub struct NewGroup {
    pub name: String,
    pub group_type: GroupType,
    pub permissions: Vec<String>,
}

impl NewGroup {
    fn parse(&self) -> Result<(String, Vec<Permission>), FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = errors.collect(
            group::NAME.trimmed(&self.name, false).map_err(|bad| vec![bad_name(Field::Name, group::NAME, bad)]),
        );
        let mut permissions = Vec::new();
        for text in &self.permissions {
            match Permission::parse(text) {
                Ok(permission) => permissions.push(permission),
                Err(wrong) => errors.0.push(FieldError::new(Field::Permissions, "not_a_permission", wrong.to_string())),
            }
        }
        if self.permissions.is_empty() {
            errors.0.push(FieldError::new(Field::Permissions, "required", "Give the group at least one permission."));
        }
        permissions.sort();
        permissions.dedup();
        name.filter(|_| errors.is_empty()).map(|name| (name, permissions)).ok_or(errors)
    }
}

impl Keyring {
    /// Makes a group.
    ///
    /// # Errors
    /// When a field is wrong or the tenant has a group of this name.
    pub async fn create_group(&self, admin: &TenantAdmin, new: NewGroup) -> Result<Group, Error> {
        let (name, permissions) = new.parse()?;
        let change = Change::begin(&self.database, Chain::Tenant(admin.id()), self.now()).await?;
        let group = Group { id: new_id(change.now()), name, group_type: new.group_type, permissions };
        if !store::groups::insert(&change, admin.id(), &group).await? {
            return Err(FieldErrors::from(FieldError::new(
                Field::Name,
                "taken",
                "The tenant has a group of this name.",
            ))
            .into());
        }
        let event = Event {
            actor: admin.actor(),
            action: Action::GroupCreated,
            subject: Subject::new(&group.id, &group.name),
            detail: json!(group),
        };
        change.commit(event).await?;
        Ok(group)
    }

    /// The tenant's groups, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn groups(&self, admin: &TenantAdmin) -> Result<Vec<Group>, Error> {
        Ok(store::groups::list(self.database.connection(), admin.id()).await?)
    }
}
