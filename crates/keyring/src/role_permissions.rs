//! What people may do by themselves, and with them everything that acts in their name.

use domain::{permission::Permission, person::Role};

/// A tenant's admin may do everything there, a member what their groups grant. A super user belongs to no tenant.
pub(crate) fn permissions_of_role(role: Role, granted: Vec<Permission>) -> Vec<Permission> {
    match role {
        Role::TenantAdmin => Permission::parse("*").into_iter().collect(),
        Role::Member => granted,
        Role::SuperUser => Vec::new(),
    }
}
