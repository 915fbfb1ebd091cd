//! A key in the form that its evaluation needs.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{
    caller::{Caller, Identity},
    id::{KeyId, PropertyId, SecretId, TenantId},
    key_record::{KeyRecord, Owner, TenantRecord},
    network::AddressSet,
    origin::Origin,
    permission::{Grants, Permission},
    property::PropertyScope,
    rate_limit::RateLimit,
    secret::KeyKind,
    zone::TimeZone,
};

use super::Dependencies;
use crate::usage::{TenantLog, UsageCounter};

/// A key, found by one of its secrets.
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
    /// The time at which the secret was generated.
    pub secret_issued_at: DateTime<Utc>,
    /// The time at which the secret stops working because the key has a newer one.
    pub secret_retires_at: Option<DateTime<Utc>>,
    pub allowed_ips: AddressSet,
    pub allowed_origins: Box<[Origin]>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub(super) dependencies: Dependencies,
}

/// The tenant's state that the evaluation of a key depends on.
#[derive(Debug)]
pub struct KeyTenant {
    pub id: TenantId,
    pub slug: String,
    pub zone: TimeZone,
    pub is_subscribed: bool,
    /// The properties that its keys can have access to, by ascending id.
    pub properties: Arc<[PropertyId]>,
}

impl KeyTenant {
    #[must_use]
    pub fn new(TenantRecord { tenant, properties }: TenantRecord) -> Self {
        Self {
            zone: TimeZone::of(&tenant),
            is_subscribed: tenant.api_keys,
            properties: properties.into(),
            id: tenant.id,
            slug: tenant.slug,
        }
    }
}

impl CachedKey {
    /// The arguments besides `found` are shared with other keys.
    pub(super) fn new(
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

    /// Returns the counter of the key's calls.
    #[must_use]
    pub fn counter(&self) -> &Arc<UsageCounter> {
        self.dependencies.counter()
    }

    /// Returns the share of its tenant in the call log.
    #[must_use]
    pub fn tenant_log(&self) -> &TenantLog {
        self.dependencies.tenant_log()
    }

    /// Returns whether nothing that the key depends on has changed.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.dependencies.are_current()
    }

    /// Returns what the key stands for to a protected API.
    #[must_use]
    pub fn caller(&self) -> Caller {
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
