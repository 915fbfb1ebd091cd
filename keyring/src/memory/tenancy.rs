//! What the keys of one tenant have in common: read once, and shared by all of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::permission::Permission;

use super::{
    mark::{Mark, Marked, Relied},
    registry::Shared,
};
use crate::{clock::Millis, evaluator::KeyTenant, usage::TenantLog};

#[derive(Debug, Default)]
pub(crate) struct Tenancy {
    mark: Mark,
    shared: Mutex<InCommon>,
    log: TenantLog,
}

#[derive(Debug, Default)]
struct InCommon {
    tenant: Option<Arc<KeyTenant>>,
    groups: Vec<Powers>,
}

/// A group's name with what it grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Powers {
    pub(super) group: Option<Arc<str>>,
    pub(super) permissions: Arc<[Permission]>,
}

/// More groups than a tenant has keys in at once; above it, equal ones are kept twice.
const MOST_GROUPS: usize = 64;

impl Tenancy {
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

    /// The same powers, in the one place where they are kept.
    pub(super) fn share(&self, powers: Powers) -> Powers {
        let groups = &mut self.shared().groups;
        if let Some(known) = groups.iter().find(|known| **known == powers) {
            return known.clone();
        }
        if groups.len() < MOST_GROUPS {
            groups.push(powers.clone());
        }
        powers
    }

    /// Something about the tenant changed. Whoever finds the mark moved already finds nothing remembered either.
    pub(super) fn forget(&self) {
        let mut shared = self.shared();
        *shared = InCommon::default();
        self.mark.move_on();
    }

    fn shared(&self) -> MutexGuard<'_, InCommon> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Relied<Tenancy> {
    /// The tenant, if it is remembered.
    pub(crate) fn tenant(&self) -> Option<Arc<KeyTenant>> {
        self.on.tenant()
    }
}

impl Marked for Tenancy {
    fn mark(&self) -> &Mark {
        &self.mark
    }
}

impl Shared for Tenancy {
    fn is_idle(&self, _: Millis) -> bool {
        true
    }
}

/// A person as the holder of keys.
#[derive(Debug, Default)]
pub(super) struct Holder(Mark);

impl Marked for Holder {
    fn mark(&self) -> &Mark {
        &self.0
    }
}

impl Shared for Holder {
    fn is_idle(&self, _: Millis) -> bool {
        true
    }
}
