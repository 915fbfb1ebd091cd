//! What is known about a key: all that its evaluation needs, made ready when it is read.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{
    caller::{Caller, Identity},
    id::{KeyId, PersonId, PropertyId, SecretId, TenantId},
    network::{AddressSet, IpNet},
    origin::Origin,
    permission::{Grants, Permission},
    property::PropertyScope,
    rate_limit::RateLimit,
    scope::Scopes,
    secret::KeyKind,
};

use crate::{memory::Dependencies, zone::TimeZone};

/// A key as one of its secrets leads to it.
#[derive(Debug)]
pub struct CachedKey {
    pub id: KeyId,
    pub name: Box<str>,
    pub kind: KeyKind,
    pub tenant: Arc<KeyTenant>,
    pub owner: Option<Box<Owner>>,
    /// The name of a tenant key's group; a personal key has none.
    pub group: Option<Arc<str>>,
    pub grants: Grants,
    pub reach: PropertyScope,
    pub rate_limit: RateLimit,
    pub expires_at: Option<DateTime<Utc>>,
    /// The secret that was presented.
    pub secret_id: SecretId,
    /// When it was made.
    pub secret_issued_at: DateTime<Utc>,
    /// When it ends, because the key has a newer one.
    pub secret_retires_at: Option<DateTime<Utc>>,
    pub(crate) allowed_ips: AddressSet,
    pub(crate) allowed_origins: Box<[Origin]>,
    pub(crate) revoked_at: Option<DateTime<Utc>>,
    pub(crate) dependencies: Dependencies,
}

/// A tenant, as far as its keys are concerned.
#[derive(Debug)]
pub struct KeyTenant {
    pub id: TenantId,
    pub slug: String,
    pub(crate) zone: TimeZone,
    pub(crate) is_subscribed: bool,
    /// Those that keys can reach, in order.
    pub(crate) properties: Arc<[PropertyId]>,
}

/// The owner of a personal key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub id: PersonId,
    pub name: String,
    pub(crate) is_active: bool,
}

/// A key as the database has it.
#[derive(Debug)]
pub(crate) struct KeyRecord {
    pub(crate) id: KeyId,
    pub(crate) name: String,
    pub(crate) kind: KeyKind,
    pub(crate) tenant: TenantId,
    pub(crate) owner: Option<Owner>,
    pub(crate) group: Option<String>,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) scopes: Scopes,
    pub(crate) reach: PropertyScope,
    pub(crate) rate_limit: RateLimit,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) secret_id: SecretId,
    pub(crate) secret_issued_at: DateTime<Utc>,
    pub(crate) secret_retires_at: Option<DateTime<Utc>>,
    pub(crate) allowed_ips: Vec<IpNet>,
    pub(crate) allowed_origins: Vec<Origin>,
    pub(crate) revoked_at: Option<DateTime<Utc>>,
}

impl CachedKey {
    /// What is the same for many keys comes apart, as they share it.
    pub(crate) fn new(
        found: KeyRecord,
        tenant: Arc<KeyTenant>,
        group: Option<Arc<str>>,
        permissions: Arc<[Permission]>,
        dependencies: Dependencies,
    ) -> Self {
        Self {
            id: found.id,
            name: found.name.into(),
            kind: found.kind,
            tenant,
            owner: found.owner.map(Box::new),
            group,
            grants: Grants { permissions, scopes: found.scopes },
            reach: found.reach,
            rate_limit: found.rate_limit,
            expires_at: found.expires_at,
            secret_id: found.secret_id,
            secret_issued_at: found.secret_issued_at,
            secret_retires_at: found.secret_retires_at,
            allowed_ips: AddressSet::of(&found.allowed_ips),
            allowed_origins: found.allowed_origins.into(),
            revoked_at: found.revoked_at,
            dependencies,
        }
    }

    pub(crate) fn caller(&self) -> Caller {
        Caller {
            tenant: self.tenant.id.clone(),
            identity: Identity::Key(self.id.clone()),
            grants: self.grants.clone(),
            properties: match &self.reach {
                PropertyScope::All => self.tenant.properties.clone(),
                PropertyScope::Only(ids) => ids.as_slice().into(),
            },
        }
    }
}
