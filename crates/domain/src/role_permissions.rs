//! The permissions of people, which their personal keys share.

use crate::{permission::Permission, person::Role};

/// Returns the permissions of a role: all for a tenant admin, those of their groups for a member, none for a super user,
/// who belongs to no tenant.
#[must_use]
pub fn permissions_of_role(role: Role, granted: Vec<Permission>) -> Vec<Permission> {
    match role {
        Role::TenantAdmin => Permission::parse("*").into_iter().collect(),
        Role::Member => granted,
        Role::SuperUser => Vec::new(),
    }
}
