//! A key as the database stores it, with everything that its evaluation needs.

use chrono::{DateTime, Utc};
use ipnet::IpNet;

use crate::{
    id::{KeyId, PersonId, PropertyId, SecretId, TenantId},
    origin::Origin,
    permission::Permission,
    property::PropertyScope,
    rate_limit::RateLimit,
    scope::Scopes,
    secret::KeyKind,
    tenant::Tenant,
};

/// A key, found by one of its secrets.
#[derive(Debug)]
pub struct KeyRecord {
    pub id: KeyId,
    pub name: String,
    pub kind: KeyKind,
    pub tenant: TenantId,
    pub owner: Option<Owner>,
    /// The name of a tenant key's group; a personal key has none.
    pub group: Option<String>,
    pub permissions: Vec<Permission>,
    pub scopes: Scopes,
    pub reach: PropertyScope,
    pub rate_limit: RateLimit,
    pub expires_at: Option<DateTime<Utc>>,
    pub secret_id: SecretId,
    pub secret_issued_at: DateTime<Utc>,
    pub secret_retires_at: Option<DateTime<Utc>>,
    pub allowed_ips: Vec<IpNet>,
    pub allowed_origins: Vec<Origin>,
    pub revoked_at: Option<DateTime<Utc>>,
}

/// The owner of a personal key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub id: PersonId,
    pub name: String,
    pub is_active: bool,
}

/// A tenant with the properties that its keys can have access to, by ascending id.
#[derive(Debug)]
pub struct TenantRecord {
    pub tenant: Tenant,
    pub properties: Vec<PropertyId>,
}
