//! The evaluator, which decides whether a credential grants access. Every surface calls it; none decides for itself.
//!
//! The order of its checks is fixed, so a refusal is meaningful: a client that reached its rate limit passed all other
//! checks.

use std::{net::IpAddr, sync::Arc};

use chrono::{DateTime, Utc};
use domain::{
    caller::{Caller, Identity},
    id::{Id, PropertyId, TenantId},
    origin::Origin,
    permission::{Grants, Permission},
    secret::is_well_formed,
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    Keyring,
    error::Error,
    legacy::LegacyCredential,
    limiter::Quota,
    nodes::{CacheLookup, LookUp, find_key, look_up, recall},
    secret::SecretHash,
    store,
};

mod admitted;
mod cached_key;
mod refusal;

pub use admitted::AdmittedState;
pub(crate) use cached_key::KeyRecord;
pub use cached_key::{CachedKey, KeyTenant, Owner};
pub(crate) use refusal::whole_seconds;
pub use refusal::{Reason, Refusal};

/// A presented credential.
pub enum Credential {
    Secret(SecretString),
    Legacy(LegacyCredential),
}

/// What a credential is checked for.
pub struct AccessQuery<'a> {
    /// None when it is unknown: then no allowlist holds it.
    pub address: Option<IpAddr>,
    /// The address charged for unknown keys and wrong passwords: the last one that a trusted peer vouched for.
    pub nearest: IpAddr,
    /// The `Origin` header, if there was one; text that is no origin is in no list.
    pub origin: Option<&'a str>,
    pub requirement: Requirement<'a>,
}

/// What the credential must grant.
#[derive(Clone, Copy)]
pub struct Requirement<'a> {
    pub permission: Option<&'a Permission>,
    /// A property by its id, as it was named.
    pub property: Option<&'a str>,
    /// How many calls it takes from the rate limit.
    pub cost: u16,
    /// The tenant whose credentials are known. All other credentials are unknown.
    pub tenant: Option<TenantRef<'a>>,
}

/// A tenant, as the request names it.
#[derive(Clone, Copy)]
pub enum TenantRef<'a> {
    Id(&'a TenantId),
    Slug(&'a str),
}

/// The evaluator's answer.
pub struct Decision {
    pub outcome: Result<(Caller, AdmittedState), Refusal>,
    /// The key, valid or not; none for people and unknown secrets.
    pub key: Option<Arc<CachedKey>>,
    /// What the key has left of its rate limit.
    pub quota: Option<Quota>,
}

/// A decision about a key, for surfaces that need no caller.
pub struct KeyDecision {
    pub outcome: Result<(), Refusal>,
    pub key: Option<Arc<CachedKey>>,
    pub quota: Option<Quota>,
}

/// What one check says.
type Check = Result<(), Refusal>;

impl Decision {
    fn refused(refusal: Refusal) -> Self {
        Self { outcome: Err(refusal), key: None, quota: None }
    }
}

impl KeyDecision {
    fn refused(refusal: Refusal) -> Self {
        Self { outcome: Err(refusal), key: None, quota: None }
    }
}

impl Keyring {
    /// Decides about a credential that a client presents as its own. A client that presents many unknown keys is
    /// throttled.
    ///
    /// # Errors
    /// If the database fails: the credential's validity is unknown then.
    pub async fn evaluate(&self, credential: &Credential, query: &AccessQuery<'_>) -> Result<Decision, Error> {
        match credential {
            Credential::Secret(secret) => self.evaluate_secret(secret, query).await,
            // Set apart, as its many steps would otherwise be moved about with every question about a key.
            Credential::Legacy(credential) => Box::pin(self.evaluate_person(credential, query)).await,
        }
    }

    /// Decides about a key for a verifier, which is not throttled.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub async fn verify(&self, secret: &SecretString, query: &AccessQuery<'_>) -> Result<KeyDecision, Error> {
        let secret = secret.expose_secret();
        if !is_well_formed(secret) {
            return Ok(KeyDecision::refused(Refusal::Malformed));
        }
        let found = find_key(self, &self.lease, &self.memory, &SecretHash::of(secret)).await?;
        Ok(self.decide_key(found, query))
    }

    /// Checks 2 to 10.
    fn decide_key(&self, found: Option<Arc<CachedKey>>, query: &AccessQuery<'_>) -> KeyDecision {
        let Some(cached_key) = found.filter(|cached_key| belongs(cached_key, query.requirement.tenant)) else {
            return KeyDecision::refused(Refusal::NotFound);
        };
        let (outcome, quota) =
            self.charge(&cached_key, cached_key.decide(query, self.database_time()), query.requirement.cost);
        KeyDecision { outcome, key: Some(cached_key), quota: Some(quota) }
    }

    async fn evaluate_secret(&self, secret: &SecretString, query: &AccessQuery<'_>) -> Result<Decision, Error> {
        let secret = secret.expose_secret();
        if !is_well_formed(secret) {
            return Ok(self.refuse_unknown(Refusal::Malformed, query));
        }
        let hash = SecretHash::of(secret);
        let found = match recall(self, &self.lease, &self.memory, &hash).await? {
            CacheLookup::Key(cached_key) => Some(cached_key),
            CacheLookup::NoKey => None,
            CacheLookup::Unknown(how) => match Box::pin(self.look_up_limited(&hash, how, query.nearest)).await? {
                Ok(cached_key) => Some(cached_key),
                Err(refusal) => return Ok(Decision::refused(refusal)),
            },
        };
        let KeyDecision { outcome, key, quota } = self.decide_key(found, query);
        Ok(match (outcome, key) {
            (Ok(()), Some(key)) => {
                Decision { outcome: Ok((key.caller(), AdmittedState::Key(key.clone()))), key: Some(key), quota }
            }
            (Err(refusal), Some(key)) => Decision { outcome: Err(refusal), key: Some(key), quota },
            (outcome, None) => self.refuse_unknown(outcome.err().unwrap_or(Refusal::NotFound), query),
        })
    }

    /// Looks up a key that memory does not know, unless its network has sent too many unknown ones. A key that memory
    /// once knew is always looked up.
    async fn look_up_limited(
        &self,
        hash: &SecretHash,
        how: LookUp,
        nearest: IpAddr,
    ) -> Result<Result<Arc<CachedKey>, Refusal>, Error> {
        if how.is_outdated {
            return Ok(look_up(self, &self.memory, hash, how).await?.ok_or(Refusal::NotFound));
        }
        let limited = match self.unknown_keys.begin_look_up(nearest, self.clock.ticks()).await {
            Ok(limited) => limited,
            Err(retry_after) => return Ok(Err(Refusal::TooManyUnknownKeys { retry_after })),
        };
        let found = look_up(self, &self.memory, hash, how).await;
        if !matches!(found, Ok(None)) {
            limited.refund();
        }
        Ok(found?.ok_or(Refusal::NotFound))
    }

    async fn evaluate_person(&self, credential: &LegacyCredential, query: &AccessQuery<'_>) -> Result<Decision, Error> {
        let fence = self.memory.fence();
        let caller = match self.legacy_caller(credential, query.nearest).await? {
            Ok(caller) => caller,
            Err(refusal) => return Ok(Decision::refused(refusal.into())),
        };
        if !self.is_known_to(query.requirement.tenant, &caller.tenant).await? {
            return Ok(Decision::refused(credential.unknown().into()));
        }
        let check_permission = check_permission(&caller.grants, None, query.requirement.permission);
        let outcome = check_permission.and_then(|()| check_property(&caller, query.requirement.property));
        let dependencies = match &caller.identity {
            Identity::Person(person) => self.memory.depend_on_person(fence, &caller.tenant, person, self.clock.ticks()),
            Identity::Key(_) => None,
        };
        let outcome = outcome.map(|()| (caller, AdmittedState::Person(dependencies)));
        Ok(Decision { outcome, key: None, quota: None })
    }

    async fn is_known_to(&self, tenant_ref: Option<TenantRef<'_>>, tenant: &TenantId) -> Result<bool, Error> {
        Ok(match tenant_ref {
            None => true,
            Some(TenantRef::Id(id)) => tenant == id,
            Some(TenantRef::Slug(slug)) => {
                let tenant = store::tenants::find_tenant(&self.database, tenant).await?;
                tenant.is_some_and(|tenant| tenant.slug == slug)
            }
        })
    }

    /// The last check, so that a refused call costs nothing.
    fn charge(&self, cached_key: &CachedKey, so_far: Check, cost: u16) -> (Check, Quota) {
        let now = self.clock.ticks();
        let counter = cached_key.dependencies.counter();
        if let Err(refusal) = so_far {
            return (Err(refusal), counter.look(cached_key.rate_limit, now));
        }
        match counter.take(cached_key.rate_limit, cost, now) {
            Ok(quota) => (Ok(()), quota),
            Err(quota) if cost > quota.limit => (Err(Refusal::CostsTooMuch { cost, limit: quota.limit }), quota),
            Err(quota) => (Err(Refusal::RateLimited(quota)), quota),
        }
    }

    /// Refuses a secret that is known to belong to no key, and counts it.
    fn refuse_unknown(&self, refusal: Refusal, query: &AccessQuery<'_>) -> Decision {
        match self.unknown_keys.count(query.nearest, self.clock.ticks()) {
            Ok(()) => Decision::refused(refusal),
            Err(retry_after) => Decision::refused(Refusal::TooManyUnknownKeys { retry_after }),
        }
    }
}

/// Returns whether the key belongs to the requested tenant.
fn belongs(cached_key: &CachedKey, tenant: Option<TenantRef<'_>>) -> bool {
    match tenant {
        None => true,
        Some(TenantRef::Id(id)) => cached_key.tenant.id == *id,
        Some(TenantRef::Slug(slug)) => cached_key.tenant.slug == slug,
    }
}

/// Checks 3 to 9, which need nothing but what is known about the key.
impl CachedKey {
    fn decide(&self, query: &AccessQuery<'_>, now: DateTime<Utc>) -> Check {
        self.check_active(now)?;
        self.check_enabled()?;
        self.check_address(query.address)?;
        self.check_origin(query.origin)?;
        check_permission(&self.grants, self.group.as_deref(), query.requirement.permission)?;
        self.check_property_scope(query.requirement.property)
    }

    /// A key or secret has expired at the instant of its expiration.
    fn check_active(&self, now: DateTime<Utc>) -> Check {
        if let Some(at) = self.revoked_at {
            return Err(Refusal::Revoked { on: self.tenant.zone.local(at).date() });
        }
        if let Some(at) = self.secret_retires_at.filter(|at| *at <= now) {
            return Err(Refusal::Replaced { on: self.tenant.zone.local(at).date() });
        }
        match self.expires_at.filter(|at| *at <= now) {
            Some(at) => Err(Refusal::Expired { on: self.tenant.zone.local(at).date() }),
            None => Ok(()),
        }
    }

    fn check_enabled(&self) -> Check {
        if !self.tenant.is_subscribed {
            return Err(Refusal::Disabled(Reason::NoSubscription));
        }
        match &self.owner {
            Some(owner) if !owner.is_active => Err(Refusal::Disabled(Reason::OwnerDeactivated)),
            _ => Ok(()),
        }
    }

    fn check_address(&self, address: Option<IpAddr>) -> Check {
        let allowed = self.allowed_ips.is_empty() || address.is_some_and(|address| self.allowed_ips.contains(address));
        if allowed { Ok(()) } else { Err(Refusal::IpNotAllowed { address }) }
    }

    fn check_origin(&self, origin: Option<&str>) -> Check {
        let is_listed = |text| Origin::parse(text).is_ok_and(|origin| self.allowed_origins.contains(&origin));
        let allowed = self.allowed_origins.is_empty() || origin.is_some_and(is_listed);
        if allowed { Ok(()) } else { Err(Refusal::OriginNotAllowed { was_sent: origin.is_some() }) }
    }

    /// First whether the tenant has the property at all, then whether the key was given it.
    fn check_property_scope(&self, named: Option<&str>) -> Check {
        let Some(named) = named else { return Ok(()) };
        let property = PropertyId::parse(named).map_err(|_| Refusal::NoSuchProperty)?;
        if self.tenant.properties.binary_search(&property).is_err() {
            return Err(Refusal::NoSuchProperty);
        }
        if self.reach.contains(&property) { Ok(()) } else { Err(Refusal::PropertyNotAllowed) }
    }
}

fn check_permission(grants: &Grants, group: Option<&str>, requirement: Option<&Permission>) -> Check {
    match requirement.filter(|requirement| !grants.allow(requirement)) {
        None => Ok(()),
        Some(needed) => Err(Refusal::InsufficientPermissions {
            needed: needed.clone(),
            group: group.map(str::to_owned),
            lacks_scope_alone: grants.permissions.iter().any(|held| held.covers(needed)),
        }),
    }
}

/// Checks the property that a person named. They reach all that there are.
fn check_property(caller: &Caller, named: Option<&str>) -> Check {
    let exists = |named| PropertyId::parse(named).is_ok_and(|property| caller.reaches(&property));
    if named.is_none_or(exists) { Ok(()) } else { Err(Refusal::NoSuchProperty) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each question is moved several times on its way, whole.
    #[test]
    fn database_ping_is_not_part_of_a_query() {
        fn size<'a, T: 'a, F>(_: impl FnOnce(&'a Keyring, &'a T, &'a AccessQuery<'a>) -> F) -> usize {
            size_of::<F>()
        }
        assert!(size(Keyring::verify) < 512, "{}", size(Keyring::verify));
        assert!(size(Keyring::evaluate) < 512, "{}", size(Keyring::evaluate));
    }
}
