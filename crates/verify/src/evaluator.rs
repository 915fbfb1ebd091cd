//! The evaluator, which decides whether a credential grants access. Every surface calls it; none decides for itself.
//!
//! The order of its checks is fixed, so a refusal is meaningful: a client that reached its rate limit passed all other
//! checks.

use std::{net::IpAddr, sync::Arc};

use chrono::{DateTime, Utc};
use domain::{
    caller::{Caller, Identity},
    digest::SecretHash,
    id::{Id, PropertyId, TenantId},
    origin::Origin,
    permission::{Grants, Permission},
    secret::is_well_formed,
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    cache::{CachedKey, Fence, KeyCache},
    clock::{Clock, DatabaseClock, Millis, Runtime},
    cluster::Lease,
    lookup::{CacheLookup, KeySource, LookUp, LookUpError, find_key, look_up, recall},
    rate_limit::{Quota, unknown_keys::UnknownKeyLimit},
};

mod admitted;
mod legacy_refusal;
mod refusal;

pub use admitted::AdmittedState;
pub use legacy_refusal::LegacyRefusal;
pub use refusal::{Reason, Refusal};

/// The request that a credential is checked for.
pub struct AccessQuery<'a> {
    /// None if it is unknown: then it is in no allowlist.
    pub address: Option<IpAddr>,
    /// The address charged for unknown keys and wrong passwords: the last one that a trusted peer vouched for.
    pub nearest: IpAddr,
    /// The `Origin` header, if there was one; text that is not an origin is in no allowlist.
    pub origin: Option<&'a str>,
    pub requirement: Requirement<'a>,
}

/// The access that the credential must grant.
#[derive(Clone, Copy)]
pub struct Requirement<'a> {
    pub permission: Option<&'a Permission>,
    /// The id of a property, unparsed.
    pub property: Option<&'a str>,
    /// The number of calls charged to the rate limit.
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

/// The evaluator's answer about a credential.
pub struct Decision {
    pub outcome: Result<(), Refusal>,
    /// The key, valid or not; none for people and unknown secrets.
    pub key: Option<Arc<CachedKey>>,
    /// The person of a valid legacy credential, with the state that they were admitted under.
    person: Option<Box<(Caller, AdmittedState)>>,
    /// The remaining quota of the key.
    pub quota: Option<Quota>,
}

impl Decision {
    #[must_use]
    pub fn refused(refusal: Refusal) -> Self {
        Self { outcome: Err(refusal), key: None, person: None, quota: None }
    }

    /// Returns the caller, and the state that it was admitted under.
    ///
    /// # Errors
    /// If the credential was refused.
    pub fn admit(self) -> Result<(Caller, AdmittedState), Refusal> {
        self.outcome?;
        match (self.person, self.key) {
            (Some(person), _) => Ok(*person),
            (None, Some(key)) => Ok((key.caller(), AdmittedState::Key(key))),
            (None, None) => unreachable!("a valid credential is a key's or a person's"),
        }
    }
}

/// The result of one check.
type Check = Result<(), Refusal>;

/// Decides about credentials. Cheap to clone.
#[derive(Clone)]
pub struct Evaluator {
    clock: Clock,
    cache: Arc<KeyCache>,
    lease: Arc<Lease>,
    database_clock: Arc<DatabaseClock>,
    unknown_keys: Arc<UnknownKeyLimit>,
}

impl Evaluator {
    /// Creates an evaluator with an empty cache of about this many bytes.
    #[must_use]
    pub fn new(clock: Clock, lease: Lease, cache_bytes: u64) -> Self {
        Self {
            clock,
            cache: Arc::new(KeyCache::new(cache_bytes)),
            lease: Arc::new(lease),
            database_clock: Arc::default(),
            unknown_keys: Arc::default(),
        }
    }

    /// Returns an evaluator that shares everything but the clock.
    #[must_use]
    pub fn at(&self, clock: Clock) -> Self {
        Self { clock, ..self.clone() }
    }

    #[must_use]
    pub fn cache(&self) -> &Arc<KeyCache> {
        &self.cache
    }

    #[must_use]
    pub fn lease(&self) -> &Arc<Lease> {
        &self.lease
    }

    #[must_use]
    pub fn database_clock(&self) -> &DatabaseClock {
        &self.database_clock
    }

    /// Returns the time that decides when keys expire.
    #[must_use]
    pub fn database_time(&self) -> DateTime<Utc> {
        self.database_clock.at(self.clock.ticks()).unwrap_or_else(|| self.clock.now())
    }

    /// Decides about a key for a verifier, which is not throttled.
    ///
    /// # Errors
    /// If the lease has expired or the database fails: the key's validity is unknown then.
    pub async fn verify<W: KeySource + Runtime>(
        &self,
        world: &W,
        secret: &SecretString,
        query: &AccessQuery<'_>,
    ) -> Result<Decision, LookUpError> {
        let secret = secret.expose_secret();
        if !is_well_formed(secret) {
            return Ok(Decision::refused(Refusal::Malformed));
        }
        let found = find_key(world, &self.lease, &self.cache, &SecretHash::of(secret)).await?;
        Ok(self.decide_key(found, query))
    }

    /// Decides about a key that a client presents as its own. A client that presents many unknown keys is throttled.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub async fn evaluate<W: KeySource + Runtime>(
        &self,
        world: &W,
        secret: &SecretString,
        query: &AccessQuery<'_>,
    ) -> Result<Decision, LookUpError> {
        let secret = secret.expose_secret();
        if !is_well_formed(secret) {
            return Ok(self.refuse_unknown(Refusal::Malformed, query));
        }
        let hash = SecretHash::of(secret);
        let found = match recall(world, &self.lease, &self.cache, &hash).await? {
            CacheLookup::Key(cached_key) => Some(cached_key),
            CacheLookup::NoKey => None,
            CacheLookup::Unknown(how) => {
                match Box::pin(self.look_up_limited(world, &hash, how, query.nearest)).await? {
                    Ok(cached_key) => Some(cached_key),
                    Err(refusal) => return Ok(Decision::refused(refusal)),
                }
            }
        };
        let decision = self.decide_key(found, query);
        Ok(match (decision.outcome, &decision.key) {
            (Err(refusal), None) => self.refuse_unknown(refusal, query),
            (outcome, _) => Decision { outcome, ..decision },
        })
    }

    /// Decides about a person whose legacy credential is valid. `fence` is from before the person was read.
    pub fn decide_person(&self, caller: Caller, fence: Fence, query: &AccessQuery<'_>) -> Decision {
        let permitted = check_permission(&caller.grants, None, query.requirement.permission);
        if let Err(refusal) = permitted.and_then(|()| check_property(&caller, query.requirement.property)) {
            return Decision::refused(refusal);
        }
        let dependencies = match &caller.identity {
            Identity::Person(person) => self.cache.depend_on_person(fence, &caller.tenant, person, self.clock.ticks()),
            Identity::Key(_) => None,
        };
        let person = Some(Box::new((caller, AdmittedState::Person(dependencies))));
        Decision { outcome: Ok(()), key: None, person, quota: None }
    }

    /// Checks 2 to 10.
    fn decide_key(&self, found: Option<Arc<CachedKey>>, query: &AccessQuery<'_>) -> Decision {
        let Some(cached_key) = found.filter(|cached_key| belongs(cached_key, query.requirement.tenant)) else {
            return Decision::refused(Refusal::NotFound);
        };
        let checked = cached_key.decide(query, self.database_time());
        let (outcome, quota) = charge(&cached_key, checked, query.requirement.cost, self.clock.ticks());
        Decision { outcome, key: Some(cached_key), person: None, quota: Some(quota) }
    }

    /// Looks up a key that is not cached, unless its network has sent too many unknown ones. A key that was cached before
    /// is always looked up.
    async fn look_up_limited<W: KeySource + Runtime>(
        &self,
        world: &W,
        hash: &SecretHash,
        how: LookUp,
        nearest: IpAddr,
    ) -> Result<Result<Arc<CachedKey>, Refusal>, LookUpError> {
        if how.is_outdated {
            return Ok(look_up(world, &self.cache, hash, how).await?.ok_or(Refusal::NotFound));
        }
        let limited = match self.unknown_keys.begin_look_up(nearest, self.clock.ticks()).await {
            Ok(limited) => limited,
            Err(retry_after) => return Ok(Err(Refusal::TooManyUnknownKeys { retry_after })),
        };
        let found = look_up(world, &self.cache, hash, how).await;
        if !matches!(found, Ok(None)) {
            limited.refund();
        }
        Ok(found?.ok_or(Refusal::NotFound))
    }

    /// Refuses a secret that belongs to no key, and counts it.
    fn refuse_unknown(&self, refusal: Refusal, query: &AccessQuery<'_>) -> Decision {
        match self.unknown_keys.count(query.nearest, self.clock.ticks()) {
            Ok(()) => Decision::refused(refusal),
            Err(retry_after) => Decision::refused(Refusal::TooManyUnknownKeys { retry_after }),
        }
    }
}

/// The last check, so that a refused call costs nothing.
fn charge(cached_key: &CachedKey, checked: Check, cost: u16, now: Millis) -> (Check, Quota) {
    let counter = cached_key.counter();
    if let Err(refusal) = checked {
        return (Err(refusal), counter.quota(cached_key.rate_limit, now));
    }
    match counter.take(cached_key.rate_limit, cost, now) {
        Ok(quota) => (Ok(()), quota),
        Err(quota) if cost > quota.limit => (Err(Refusal::CostsTooMuch { cost, limit: quota.limit }), quota),
        Err(quota) => (Err(Refusal::RateLimited(quota)), quota),
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

/// Checks 3 to 9, which need nothing but the cached key.
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

    /// Checks that the tenant has the property, then that the key has access to it.
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

/// Checks that the property exists. People have access to all properties of their tenant.
fn check_property(caller: &Caller, named: Option<&str>) -> Check {
    let exists = |named| PropertyId::parse(named).is_ok_and(|property| caller.reaches(&property));
    if named.is_none_or(exists) { Ok(()) } else { Err(Refusal::NoSuchProperty) }
}
