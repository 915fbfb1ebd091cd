//! The permission catalog of the installation, to which the operator adds permissions.

use domain::{
    audit::Action,
    field::{Field, FieldError, FieldErrors},
    group::parse_name,
    id::TenantId,
    key_draft::parse_description,
    permission::Permission,
    permission_catalog::{BuiltInPermission, CORE_PERMISSIONS, CatalogPermission, PermissionCatalog, capitalize},
};
use serde_json::json;
use store::{Chain, Event, Subject};

use crate::{
    Keyring,
    access::SuperUser,
    error::{Error, Thing},
};

/// A permission to add to the catalog.
#[derive(Debug, Clone)]
pub struct NewPermission {
    pub permission: String,
    /// The name in the group form. The default is the name of the action.
    pub name: Option<String>,
    pub description: String,
}

impl NewPermission {
    fn parse(self) -> Result<CatalogPermission, FieldErrors> {
        let wrong = |code, detail: String| FieldError::new(Field::Permissions, code, &detail);
        let mut errors = FieldErrors::default();
        let permission = errors.collect(
            Permission::parse(&self.permission).map_err(|error| vec![wrong("not_a_permission", format!("{error}."))]),
        );
        let parts = permission.as_ref().map(|permission| (permission.resource(), permission.action()));
        let action = match parts {
            Some((Some(_), Some(action))) => Some(action),
            Some(_) => {
                let detail =
                    "Name one resource and one action. Wildcards are offered for every resource already.".to_owned();
                errors.collect::<()>(Err(vec![wrong("wildcard", detail)]));
                None
            }
            None => None,
        };
        let name = self.name.or_else(|| action.map(capitalize)).unwrap_or_default();
        let name = errors.collect(parse_name(&name));
        let description = errors.collect(parse_description(&self.description));
        match (permission, name, description) {
            (Some(permission), Some(name), Some(description)) if errors.is_empty() => {
                Ok(CatalogPermission { permission, name, description })
            }
            _ => Err(errors),
        }
    }
}

impl Keyring {
    /// Adds permissions of the program's own to the catalog.
    #[must_use]
    pub fn with_permissions(self, permissions: &'static [BuiltInPermission]) -> Self {
        Self { permissions, ..self }
    }

    /// The permissions that group forms offer.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn permission_catalog(&self) -> Result<PermissionCatalog, Error> {
        let added = store::permissions::list(self.database.connection()).await?;
        Ok(PermissionCatalog::new(self.built_in_permissions().chain(added)))
    }

    /// Every permission that the catalog or a group of the tenant names, wildcards included.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn named_permissions(&self, tenant: &TenantId) -> Result<Vec<Permission>, Error> {
        let connection = self.database.connection();
        let catalog = self.permission_catalog().await?;
        let groups = store::groups::list(connection, tenant).await?;
        let cataloged = catalog.permissions().iter().map(|known| known.permission.clone());
        Ok(cataloged.chain(groups.into_iter().flat_map(|group| group.permissions)).collect())
    }

    fn built_in_permissions(&self) -> impl Iterator<Item = CatalogPermission> {
        let (properties, keys) = CORE_PERMISSIONS.split_at(1);
        [properties, self.permissions, keys].into_iter().flatten().copied().map(CatalogPermission::built_in)
    }

    /// Adds a permission to the catalog.
    ///
    /// # Errors
    /// If a field is wrong, or the catalog has the permission.
    pub async fn add_permission(&self, by: &SuperUser, new: NewPermission) -> Result<CatalogPermission, Error> {
        let added = new.parse()?;
        let change = self.begin_change(Chain::Platform, by.actor()).await?;
        let known = self.built_in_permissions().chain(store::permissions::list(change.on()).await?);
        if known.map(|known| known.permission).any(|known| known == added.permission) {
            let detail = format!("The catalog already contains {}.", added.permission);
            return Err(FieldErrors::from(FieldError::new(Field::Permissions, "taken", &detail)).into());
        }
        store::permissions::insert(&change, &added).await?;
        change.commit(event(Action::PermissionAdded, &added)).await?;
        Ok(added)
    }

    /// Removes a permission that the operator added. Groups that have it keep it.
    ///
    /// # Errors
    /// If the operator has added no such permission.
    pub async fn remove_permission(&self, by: &SuperUser, permission: &str) -> Result<CatalogPermission, Error> {
        let change = self.begin_change(Chain::Platform, by.actor()).await?;
        let added = store::permissions::list(change.on()).await?;
        let removed = added.into_iter().find(|added| added.permission.to_string() == permission);
        let removed = removed.ok_or(Error::NotFound(Thing::Permission))?;
        store::permissions::delete(&change, &removed.permission).await?;
        change.commit(event(Action::PermissionRemoved, &removed)).await?;
        Ok(removed)
    }
}

fn event(action: Action, known: &CatalogPermission) -> Event<'_> {
    Event { action, subject: Subject::PERMISSIONS, detail: json!({ "permission": known }) }
}
