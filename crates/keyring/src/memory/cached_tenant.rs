//! What the keys of one tenant have in common: read once, and shared by all of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::permission::Permission;

use super::{
    generation::{Generation, HasGeneration, Versioned},
    registry::Shared,
};
use crate::{clock::Millis, evaluator::KeyTenant, usage::TenantLog};

#[derive(Debug, Default)]
pub(crate) struct CachedTenant {
    generation: Generation,
    shared: Mutex<SharedRows>,
    log: TenantLog,
}

#[derive(Debug, Default)]
struct SharedRows {
    tenant: Option<Arc<KeyTenant>>,
    groups: Vec<GroupGrants>,
}

/// A group's name with what it grants.
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

    /// Remembers the tenant, if it is still known to be so.
    pub(super) fn keep(&self, tenant: &Arc<KeyTenant>, is_so: impl FnOnce() -> bool) {
        let mut shared = self.shared();
        if is_so() {
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
    /// The tenant, if it is remembered.
    pub(crate) fn tenant(&self) -> Option<Arc<KeyTenant>> {
        self.on.tenant()
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

/// A person as the holder of keys.
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
