//! What people may do by themselves, and with them everything that acts in their name.

use domain::{
    permission::{Grants, Permission},
    person::Role,
    scope::Scopes,
};

/// A tenant's admin may do everything there. Everybody else may do nothing until somebody allows them to.
pub(crate) fn of(role: Role) -> Grants {
    let permissions = match role {
        Role::TenantAdmin => Permission::parse("*").into_iter().collect(),
        Role::Member | Role::SuperUser => Vec::new(),
    };
    Grants { permissions, scopes: Scopes::Both }
}
