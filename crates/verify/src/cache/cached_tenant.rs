//! The rows that the keys of one tenant share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::permission::Permission;

use super::{cached_key::KeyTenant, registry::Shared};
use crate::{
    clock::Millis,
    generation::{Generation, HasGeneration, Versioned},
    usage::TenantLog,
};

#[derive(Debug, Default)]
pub struct CachedTenant {
    generation: Generation,
    shared: Mutex<SharedRows>,
    log: TenantLog,
}

#[derive(Debug, Default)]
struct SharedRows {
    tenant: Option<Arc<KeyTenant>>,
    groups: Vec<GroupGrants>,
}

/// A group's name and permissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GroupGrants {
    pub(super) group: Option<Arc<str>>,
    pub(super) permissions: Arc<[Permission]>,
}

/// The number of distinct grants that are shared per tenant; beyond it, equal ones are stored twice.
const MAX_SHARED_GROUPS: usize = 64;

impl CachedTenant {
    pub(super) fn log(&self) -> &TenantLog {
        &self.log
    }

    fn tenant(&self) -> Option<Arc<KeyTenant>> {
        self.shared().tenant.clone()
    }

    /// Caches the tenant if `is_current` still holds.
    pub(super) fn keep(&self, tenant: &Arc<KeyTenant>, is_current: impl FnOnce() -> bool) {
        let mut shared = self.shared();
        if is_current() {
            shared.tenant = Some(tenant.clone());
        }
    }

    /// Returns the shared instance of these grants.
    pub(super) fn share(&self, grants: GroupGrants) -> GroupGrants {
        let groups = &mut self.shared().groups;
        if let Some(known) = groups.iter().find(|known| **known == grants) {
            return known.clone();
        }
        if groups.len() < MAX_SHARED_GROUPS {
            groups.push(grants.clone());
        }
        grants
    }

    /// Bumps the tenant's generation. A reader that sees the new generation also finds the cached rows gone.
    pub(super) fn forget(&self) {
        let mut shared = self.shared();
        *shared = SharedRows::default();
        self.generation.bump();
    }

    fn shared(&self) -> MutexGuard<'_, SharedRows> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Versioned<CachedTenant> {
    /// Returns the tenant if it is cached.
    pub fn tenant(&self) -> Option<Arc<KeyTenant>> {
        self.value.tenant()
    }
}

impl HasGeneration for CachedTenant {
    fn generation(&self) -> &Generation {
        &self.generation
    }
}

impl Shared for CachedTenant {
    fn is_idle(&self, _: Millis) -> bool {
        true
    }
}

/// A person as the owner of keys.
#[derive(Debug, Default)]
pub(super) struct CachedOwner(Generation);

impl HasGeneration for CachedOwner {
    fn generation(&self) -> &Generation {
        &self.0
    }
}

impl Shared for CachedOwner {
    fn is_idle(&self, _: Millis) -> bool {
        true
    }
}
