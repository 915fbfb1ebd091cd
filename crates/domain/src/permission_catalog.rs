//! The permissions that the product itself knows. A group may contain others: Latchkey checks them for other back ends
//! without knowing what they mean.

/// Something that the API opens, with what can be done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource {
    pub name: &'static str,
    pub label: &'static str,
    /// Each action with a description of what it allows.
    pub actions: &'static [(&'static str, &'static str)],
}

pub const RESOURCES: &[Resource] = &[
    Resource { name: "properties", label: "Properties", actions: &[("read", "look them up")] },
    Resource { name: "services", label: "Services", actions: &[("read", "look up what is offered")] },
    Resource { name: "packages", label: "Packages", actions: &[("read", "look up what is offered")] },
    Resource { name: "availability", label: "Availability", actions: &[("read", "look up what is free")] },
    Resource {
        name: "reservations",
        label: "Reservations",
        actions: &[("read", "look them up"), ("write", "make them")],
    },
    Resource { name: "keys", label: "Keys", actions: &[("verify", "ask whether other keys are good")] },
];

/// What reaches across all resources.
pub const ACROSS: &[(&str, &str)] = &[("*:read", "read everything"), ("*", "do everything")];

impl Resource {
    /// `reservations:read`
    #[must_use]
    pub fn permission(&self, action: &str) -> String {
        format!("{}:{action}", self.name)
    }

    /// `reservations:*`
    #[must_use]
    pub fn every_action(&self) -> String {
        self.permission("*")
    }
}

/// Whether a permission is one that people pick rather than type.
#[must_use]
pub fn is_known(permission: &str) -> bool {
    let of_resource = |resource: &Resource| {
        resource.every_action() == permission
            || resource.actions.iter().any(|(action, _)| resource.permission(action) == permission)
    };
    ACROSS.iter().any(|(known, _)| *known == permission) || RESOURCES.iter().any(of_resource)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permission::Permission;

    #[test]
    fn every_catalog_entry_is_a_permission() {
        for resource in RESOURCES {
            for (action, _) in resource.actions {
                Permission::parse(&resource.permission(action)).unwrap();
            }
            Permission::parse(&resource.every_action()).unwrap();
        }
        for (permission, _) in ACROSS {
            Permission::parse(permission).unwrap();
        }
    }

    #[test]
    fn picked_permissions_are_separated_from_typed_ones() {
        for known in ["*", "*:read", "keys:verify", "reservations:*", "reservations:write"] {
            assert!(is_known(known), "{known}");
        }
        for other in ["*:write", "keys:read", "invoices:read", "reservations:cancel", ""] {
            assert!(!is_known(other), "{other}");
        }
    }
}
