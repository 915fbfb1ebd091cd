//! The permissions that group forms offer: those of the product, of the booking API where it is on, and of the operator.
//! A group may contain others: Latchkey checks them for other back ends without knowing what they mean.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::permission::Permission;

/// A permission of the program's own, as `resource`, `action` and a description of what it allows.
pub type BuiltInPermission = (&'static str, &'static str, &'static str);

/// The permissions of every installation.
pub const CORE_PERMISSIONS: &[BuiltInPermission] =
    &[("properties", "read", "look them up"), ("keys", "verify", "ask whether other keys are valid")];

/// Permissions that cover several resources.
pub const WILDCARDS: &[(&str, &str)] = &[("*:read", "read everything"), ("*", "do everything")];

/// A permission that group forms offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogPermission {
    pub permission: Permission,
    /// Shown beside the checkbox.
    pub name: String,
    /// A sentence that says what the permission allows.
    pub description: String,
}

/// The permissions of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogResource<'a> {
    pub name: &'a str,
    pub permissions: Vec<&'a CatalogPermission>,
}

/// The permissions that an installation knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PermissionCatalog(Vec<CatalogPermission>);

impl CatalogPermission {
    #[must_use]
    pub fn built_in((resource, action, description): BuiltInPermission) -> Self {
        Self {
            permission: Permission::known(resource, action),
            name: capitalize(action),
            description: description.to_owned(),
        }
    }
}

impl PermissionCatalog {
    /// Permissions of one resource stay together, in the order in which they are given.
    #[must_use]
    pub fn new(permissions: impl IntoIterator<Item = CatalogPermission>) -> Self {
        Self(permissions.into_iter().collect())
    }

    #[must_use]
    pub fn permissions(&self) -> &[CatalogPermission] {
        &self.0
    }

    #[must_use]
    pub fn resources(&self) -> Vec<CatalogResource<'_>> {
        let mut resources: Vec<CatalogResource<'_>> = Vec::new();
        for known in &self.0 {
            let Some(name) = known.permission.resource() else { continue };
            match resources.iter_mut().find(|resource| resource.name == name) {
                Some(resource) => resource.permissions.push(known),
                None => resources.push(CatalogResource { name, permissions: vec![known] }),
            }
        }
        resources
    }

    /// Returns true if the catalog offers the permission, by itself or as a wildcard.
    #[must_use]
    pub fn offers(&self, permission: &Permission) -> bool {
        let text = permission.to_string();
        let names: BTreeSet<String> = self.resources().iter().map(CatalogResource::every_action).collect();
        WILDCARDS.iter().any(|(wildcard, _)| *wildcard == text)
            || names.contains(&text)
            || self.0.iter().any(|known| known.permission == *permission)
    }
}

impl CatalogResource<'_> {
    #[must_use]
    pub fn label(&self) -> String {
        capitalize(self.name)
    }

    /// `reservations:*`
    #[must_use]
    pub fn every_action(&self) -> String {
        format!("{}:*", self.name)
    }
}

/// `purchase_orders` becomes `Purchase orders`.
#[must_use]
pub fn capitalize(word: &str) -> String {
    let words = word.replace(['_', '-'], " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> PermissionCatalog {
        let own = CatalogPermission {
            permission: Permission::parse("purchase_orders:approve").unwrap(),
            name: "Approve".to_owned(),
            description: "release an order".to_owned(),
        };
        PermissionCatalog::new(CORE_PERMISSIONS.iter().copied().map(CatalogPermission::built_in).chain([own]))
    }

    #[test]
    fn permissions_are_grouped_by_resource() {
        let catalog = catalog();
        let resources: Vec<(String, String)> =
            catalog.resources().iter().map(|resource| (resource.label(), resource.every_action())).collect();
        let expected = [("Properties", "properties:*"), ("Keys", "keys:*"), ("Purchase orders", "purchase_orders:*")];
        assert_eq!(resources, expected.map(|(label, all)| (label.to_owned(), all.to_owned())));
        assert_eq!(catalog.permissions()[1].name, "Verify");
    }

    #[test]
    fn offered_permissions_are_separated_from_typed_ones() {
        let catalog = catalog();
        for offered in ["*", "*:read", "keys:verify", "keys:*", "purchase_orders:approve", "purchase_orders:*"] {
            assert!(catalog.offers(&Permission::parse(offered).unwrap()), "{offered}");
        }
        for other in ["*:write", "keys:read", "invoices:read", "purchase_orders:cancel"] {
            assert!(!catalog.offers(&Permission::parse(other).unwrap()), "{other}");
        }
    }
}
