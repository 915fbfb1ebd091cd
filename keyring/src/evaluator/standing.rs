//! What is known about a key: all that its evaluation needs.

use chrono::{DateTime, Utc};
use domain::{
    caller::{Caller, Identity},
    id::{KeyId, PersonId, TenantId},
    network::IpNet,
    origin::Origin,
    permission::Grants,
    property::Reach,
    rate_limit::RateLimit,
    secret::KeyKind,
};

use crate::zone::TimeZone;

/// A key as one of its secrets leads to it.
#[derive(Debug, Clone)]
pub struct Standing {
    pub id: KeyId,
    pub name: String,
    pub kind: KeyKind,
    pub tenant: TenantId,
    pub tenant_slug: String,
    pub owner: Option<Owner>,
    /// The name of a tenant key's group; a personal key has none.
    pub group: Option<String>,
    pub grants: Grants,
    pub reach: Reach,
    pub rate_limit: RateLimit,
    pub expires_at: Option<DateTime<Utc>>,
    /// When the secret that was presented was made.
    pub secret_issued_at: DateTime<Utc>,
    /// When the secret that was presented ends, because the key has a newer one.
    pub secret_retires_at: Option<DateTime<Utc>>,
    pub(crate) zone: TimeZone,
    pub(crate) is_subscribed: bool,
    pub(crate) allowed_ips: Vec<IpNet>,
    pub(crate) allowed_origins: Vec<Origin>,
    pub(crate) revoked_at: Option<DateTime<Utc>>,
}

/// The person to whom a personal key belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub id: PersonId,
    pub name: String,
    pub(crate) is_active: bool,
}

impl Standing {
    pub(crate) fn caller(&self) -> Caller {
        Caller {
            tenant: self.tenant.clone(),
            identity: Identity::Key(self.id.clone()),
            grants: self.grants.clone(),
            reach: self.reach.clone(),
        }
    }
}
