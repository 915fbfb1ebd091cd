//! Actors. A use case takes a proof of authorization, so forgetting the check does not compile. A change checks the
//! proof again in its own transaction, where nothing can invalidate it before the commit.

use std::{net::IpAddr, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    digest::Sha256Hex,
    id::{Id, KeyId, PersonId, TenantId},
    person::{Person, Role},
    secret::KeyKind,
    tenant::Tenant,
};
use store::{
    Chain,
    model::{AuditActor, KeyScope, KeySet},
    sessions::LiveSession,
};

use crate::{
    Keyring,
    error::{Error, Thing},
};

/// The time for which a confirmed identity satisfies a step-up.
pub const STEP_UP_MAX_AGE: TimeDelta = TimeDelta::minutes(10);

/// The actor of a change and its authority. An audit event names the actor of its change, so no change can be made in
/// the name of a person whose access was not checked.
#[derive(Debug, Clone)]
pub struct Actor {
    pub(crate) id: String,
    pub(crate) name: String,
    /// None at a shell.
    pub(crate) address: Option<IpAddr>,
    authority: Authority,
}

#[derive(Debug, Clone)]
enum Authority {
    /// The machine's shell, or the program itself when it makes demo data. It cannot end while a change waits.
    Operator,
    /// The program itself, for example when it records failed sign-ins.
    Program,
    /// A password or a link, which the change itself checks against the rows that it locks.
    Credential,
    /// A session. Every change checks again that it is live and still gives this capacity.
    Session(SessionAuthority),
}

#[derive(Debug, Clone)]
struct SessionAuthority {
    token: Sha256Hex,
    capacity: Capacity,
    home: Option<TenantId>,
    super_user_mfa: SuperUserMfa,
    /// True if the person must have confirmed their identity recently.
    needs_step_up: bool,
}

/// The policy for the second factor of super users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SuperUserMfa {
    #[default]
    Required,
    Optional,
}

/// The capacity in which a person acts.
#[derive(Debug, Clone)]
enum Capacity {
    /// Themselves. A live session is enough.
    Person,
    AdminOf(TenantId),
    KeyHolderIn(TenantId),
    SuperUser,
}

impl Actor {
    /// Anyone with a shell on the machine.
    #[must_use]
    pub fn operator() -> Self {
        let (id, name) = ("operator".to_owned(), "Operator".to_owned());
        Self { id, name, address: None, authority: Authority::Operator }
    }

    /// A person whose password or link is checked within the change.
    pub(crate) fn with_credential(person: &Person, address: IpAddr) -> Self {
        Self::person(person, address, Authority::Credential)
    }

    /// The unknown client of failed sign-ins, which the program itself records.
    pub(crate) fn unknown(address: Option<IpAddr>) -> Self {
        Self { id: "unknown".to_owned(), name: "Unknown".to_owned(), address, authority: Authority::Program }
    }

    /// A super user is distinguished from a tenant's own people by more than their name.
    fn person(person: &Person, address: IpAddr, authority: Authority) -> Self {
        let name = match person.role {
            Role::SuperUser => format!("{} (super user)", person.name),
            Role::TenantAdmin | Role::Member => person.name.clone(),
        };
        Self { id: person.id.to_string(), name, address: Some(address.to_canonical()), authority }
    }

    /// The actor as an audit event names them.
    pub(crate) fn audit(&self) -> AuditActor {
        AuditActor { id: self.id.clone(), name: self.name.clone(), address: self.address }
    }

    /// Returns true if the actor is a person in the console.
    pub(crate) fn has_session(&self) -> bool {
        matches!(self.authority, Authority::Session(_))
    }

    /// The chain on which changes of the actor's own account are written. While it is locked, their role and their
    /// sessions stay as they are.
    pub(crate) fn home(&self) -> Option<Chain<'_>> {
        match &self.authority {
            Authority::Operator | Authority::Program | Authority::Credential => None,
            Authority::Session(session) => Some(Chain::of_home(session.home.as_ref())),
        }
    }

    /// Checks within a transaction that has locked the home chain that the actor may still do what they were allowed to
    /// do when their request arrived, and returns them as they are now.
    ///
    /// A request waits for its turn to write. Its actor may be deactivated, demoted or signed out during that time.
    pub(crate) async fn recheck(
        &self,
        transaction: &impl store::Connection,
        now: DateTime<Utc>,
    ) -> Result<Self, Error> {
        let (Authority::Session(authority), Some(address)) = (&self.authority, self.address) else {
            return Ok(self.clone());
        };
        let SessionAuthority { token, capacity, super_user_mfa, needs_step_up, .. } = authority;
        let session = store::sessions::find_session(transaction, token, now).await?.ok_or(Error::SessionEnded)?;
        let signed_in = ActiveSession::load(transaction, session, token, address, *super_user_mfa).await?;
        match signed_in.check(capacity) {
            Ok(()) => {}
            Err(owed @ Error::MfaEnrollmentRequired { .. }) => return Err(owed),
            Err(_) => return Err(Error::AccessChanged),
        }
        if *needs_step_up {
            signed_in.check_step_up(now)?;
        }
        Ok(signed_in.actor(capacity.clone()))
    }

    /// Returns the same actor, whose changes are refused unless the person confirmed their identity recently.
    pub(crate) fn with_step_up(&self) -> Self {
        let mut actor = self.clone();
        if let Authority::Session(session) = &mut actor.authority {
            session.needs_step_up = true;
        }
        actor
    }
}

/// A person with a live session.
#[derive(Debug, Clone)]
pub struct ActiveSession {
    pub person: Person,
    /// The person's own tenant, or the one that a super user has entered.
    pub tenant: Option<Tenant>,
    pub has_second_factor: bool,
    pub(crate) session: Sha256Hex,
    pub(crate) address: IpAddr,
    /// The time at which the person last proved their identity.
    confirmed_at: DateTime<Utc>,
    super_user_mfa: SuperUserMfa,
}

impl ActiveSession {
    pub(crate) async fn load(
        connection: &impl store::Connection,
        session: LiveSession,
        token: &Sha256Hex,
        address: IpAddr,
        super_user_mfa: SuperUserMfa,
    ) -> Result<Self, Error> {
        let tenant = match &session.tenant {
            Some(id) => store::tenants::find_on(connection, id).await?,
            None => None,
        };
        let has_second_factor = session.account.has_second_factor();
        Ok(Self {
            person: session.account.person,
            tenant,
            has_second_factor,
            session: token.clone(),
            address,
            confirmed_at: session.confirmed_at,
            super_user_mfa,
        })
    }

    /// The person as an admin: of their own tenant, or of the one that they entered as a super user.
    ///
    /// # Errors
    /// If they are none, or have yet to set up the second factor that the tenant asks for.
    pub fn as_admin(&self) -> Result<TenantAdmin, Error> {
        let tenant = self.tenant.clone().ok_or(Error::NotAnAdmin)?;
        let actor = self.acting_as(Capacity::AdminOf(tenant.id.clone()))?;
        Ok(TenantAdmin::new(tenant, actor))
    }

    /// Returns the person as an owner of personal keys.
    ///
    /// # Errors
    /// If they belong to no tenant, or have yet to set up the second factor that it asks for.
    pub fn as_key_holder(&self) -> Result<KeyHolder, Error> {
        let tenant = self.tenant.clone().ok_or(Error::NoKeysOfTheirOwn)?;
        let actor = self.acting_as(Capacity::KeyHolderIn(tenant.id.clone()))?;
        Ok(KeyHolder::new(tenant, &self.person.id, actor))
    }

    /// The person as one who runs the installation.
    ///
    /// # Errors
    /// If they are no super user.
    pub fn as_super_user(&self) -> Result<SuperUser, Error> {
        Ok(SuperUser { actor: self.acting_as(Capacity::SuperUser)? })
    }

    /// The person as nothing but themselves, to change what is their own.
    pub(crate) fn as_person(&self) -> Actor {
        self.actor(Capacity::Person)
    }

    fn acting_as(&self, capacity: Capacity) -> Result<Actor, Error> {
        self.check(&capacity)?;
        Ok(self.actor(capacity))
    }

    /// Checks that the person may act in this capacity: when a request arrives, and again when its change is made.
    fn check(&self, capacity: &Capacity) -> Result<(), Error> {
        let is_in = |id: &TenantId| self.tenant.as_ref().is_some_and(|tenant| tenant.id == *id);
        match (capacity, self.person.role) {
            (Capacity::Person, _) => Ok(()),
            // A tenant's policy does not prevent a super user from operating the installation.
            (Capacity::SuperUser, Role::SuperUser) => match self.second_factor_required_by() {
                Some(MfaAuthority::Installation) => self.check_second_factor(),
                _ => Ok(()),
            },
            (Capacity::AdminOf(id), Role::TenantAdmin | Role::SuperUser) if is_in(id) => self.check_second_factor(),
            (Capacity::KeyHolderIn(id), Role::TenantAdmin | Role::Member) if is_in(id) => self.check_second_factor(),
            (Capacity::AdminOf(_), _) => Err(Error::NotAnAdmin),
            (Capacity::KeyHolderIn(_), _) => Err(Error::NoKeysOfTheirOwn),
            (Capacity::SuperUser, _) => Err(Error::NotASuperUser),
        }
    }

    /// The tenant that a super user is in at the moment.
    #[must_use]
    pub fn entered(&self) -> Option<&Tenant> {
        self.tenant.as_ref().filter(|_| self.person.role == Role::SuperUser)
    }

    /// The tenant that the person belongs to. A super user belongs to none.
    pub(crate) fn home(&self) -> Option<&Tenant> {
        self.tenant.as_ref().filter(|_| self.person.role != Role::SuperUser)
    }

    /// Returns true if the person must set up a second factor before they can do anything else.
    #[must_use]
    pub fn requires_mfa_enrollment(&self) -> bool {
        !self.has_second_factor && self.second_factor_required_by().is_some()
    }

    /// Returns the policy that requires a second factor of the person.
    #[must_use]
    pub fn second_factor_required_by(&self) -> Option<MfaAuthority<'_>> {
        match &self.tenant {
            _ if self.person.role == Role::SuperUser && self.super_user_mfa == SuperUserMfa::Required => {
                Some(MfaAuthority::Installation)
            }
            Some(tenant) if tenant.requires_second_factor => Some(MfaAuthority::Tenant(tenant)),
            _ => None,
        }
    }

    fn check_second_factor(&self) -> Result<(), Error> {
        match self.second_factor_required_by() {
            Some(authority) if !self.has_second_factor => {
                Err(Error::MfaEnrollmentRequired { by_installation: matches!(authority, MfaAuthority::Installation) })
            }
            _ => Ok(()),
        }
    }

    /// Returns true if the person confirmed their identity within [`STEP_UP_MAX_AGE`].
    #[must_use]
    pub fn is_recently_confirmed(&self, now: DateTime<Utc>) -> bool {
        now - self.confirmed_at <= STEP_UP_MAX_AGE
    }

    /// Checks that the person confirmed their identity recently.
    ///
    /// # Errors
    /// If they have to confirm it again.
    pub(crate) fn check_step_up(&self, now: DateTime<Utc>) -> Result<(), Error> {
        if self.is_recently_confirmed(now) {
            return Ok(());
        }
        Err(Error::StepUpRequired { needs_code: self.has_second_factor })
    }

    fn actor(&self, capacity: Capacity) -> Actor {
        let home = self.home().map(|tenant| tenant.id.clone());
        let (token, super_user_mfa) = (self.session.clone(), self.super_user_mfa);
        let authority = SessionAuthority { token, capacity, home, super_user_mfa, needs_step_up: false };
        Actor::person(&self.person, self.address, Authority::Session(authority))
    }
}

/// The policy that requires a second factor of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MfaAuthority<'a> {
    Installation,
    Tenant(&'a Tenant),
}

/// Proof that the actor may administer one tenant: an admin who signed in, a super user who entered it, or the
/// operator.
#[derive(Debug, Clone)]
pub struct TenantAdmin {
    tenant: Tenant,
    actor: Actor,
    key_scope: KeyScope,
}

impl TenantAdmin {
    pub(crate) fn new(tenant: Tenant, actor: Actor) -> Self {
        let key_scope = KeyScope { tenant: tenant.id.clone(), keys: KeySet::Tenant };
        Self { tenant, actor, key_scope }
    }

    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    pub(crate) fn id(&self) -> &TenantId {
        &self.tenant.id
    }

    pub(crate) fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Returns true if the admin is this person.
    #[must_use]
    pub fn is(&self, person: &PersonId) -> bool {
        self.actor.id == person.as_str()
    }

    /// The admin's view of one person's keys.
    pub(crate) fn key_scope_of(&self, person: &PersonId) -> KeyScope {
        KeyScope { tenant: self.tenant.id.clone(), keys: KeySet::Person(person.clone()) }
    }

    /// The same admin, looking at the personal keys of the tenant's people.
    #[must_use]
    pub fn for_personal_keys(&self) -> PersonalKeyAdmin {
        let key_scope = KeyScope { tenant: self.tenant.id.clone(), keys: KeySet::People };
        PersonalKeyAdmin { tenant: self.tenant.clone(), actor: self.actor.clone(), key_scope }
    }
}

/// A person of a tenant who can own personal keys.
#[derive(Debug, Clone)]
pub struct KeyHolder {
    tenant: Tenant,
    actor: Actor,
    key_scope: KeyScope,
}

impl KeyHolder {
    pub(crate) fn new(tenant: Tenant, person: &PersonId, actor: Actor) -> Self {
        let key_scope = KeyScope { tenant: tenant.id.clone(), keys: KeySet::Person(person.clone()) };
        Self { tenant, actor, key_scope }
    }
}

/// An admin who can list and revoke personal keys, and nothing more.
#[derive(Debug, Clone)]
pub struct PersonalKeyAdmin {
    tenant: Tenant,
    actor: Actor,
    key_scope: KeyScope,
}

/// Proof that the actor may administer the installation.
#[derive(Debug, Clone)]
pub struct SuperUser {
    actor: Actor,
}

impl SuperUser {
    /// Anyone with a shell on the machine.
    #[must_use]
    pub fn operator() -> Self {
        Self { actor: Actor::operator() }
    }

    pub(crate) fn actor(&self) -> &Actor {
        &self.actor
    }
}

mod sealed {
    pub trait Sealed {}
}

/// Permits viewing and revoking a set of keys.
pub trait ViewKeys: sealed::Sealed + Sync {
    fn tenant(&self) -> &Tenant;
    fn actor(&self) -> &Actor;
    fn key_scope(&self) -> &KeyScope;
}

/// Permits every action on a set of keys: an admin's on those of the tenant, a person's on their own.
pub trait ManageKeys: ViewKeys {}

impl ManageKeys for TenantAdmin {}
impl ManageKeys for KeyHolder {}

impl<T: ViewKeys + ?Sized> sealed::Sealed for Arc<T> {}

impl<T: ViewKeys + Send + ?Sized> ViewKeys for Arc<T> {
    fn tenant(&self) -> &Tenant {
        self.as_ref().tenant()
    }

    fn actor(&self) -> &Actor {
        self.as_ref().actor()
    }

    fn key_scope(&self) -> &KeyScope {
        self.as_ref().key_scope()
    }
}

impl<T: ManageKeys + Send + ?Sized> ManageKeys for Arc<T> {}

macro_rules! impl_view_keys {
    ($($name:ident),*) => {$(
        impl sealed::Sealed for $name {}

        impl ViewKeys for $name {
            fn tenant(&self) -> &Tenant {
                &self.tenant
            }

            fn actor(&self) -> &Actor {
                &self.actor
            }

            fn key_scope(&self) -> &KeyScope {
                &self.key_scope
            }
        }
    )*};
}

impl_view_keys!(TenantAdmin, KeyHolder, PersonalKeyAdmin);

impl Keyring {
    /// The operator, acting for the tenant that has this key, and the kind of the key.
    ///
    /// # Errors
    /// If there is no such key.
    pub async fn operator_for_key(&self, key: &KeyId) -> Result<(TenantAdmin, KeyKind), Error> {
        let found = store::keys::tenant_and_kind(self.database.connection(), key).await?;
        let (tenant, kind) = found.ok_or(Error::NotFound(Thing::Key))?;
        Ok((self.operator_for(tenant.as_str()).await?, kind))
    }

    /// The operator, acting for the tenant with this slug or id.
    ///
    /// # Errors
    /// If there is no such tenant.
    pub async fn operator_for(&self, tenant: &str) -> Result<TenantAdmin, Error> {
        let found = match TenantId::parse(tenant) {
            Ok(id) => store::tenants::find_tenant(&self.database, &id).await?,
            Err(_) => store::tenants::find_by_slug(&self.database, tenant).await?,
        };
        let tenant = found.ok_or(Error::NotFound(Thing::Tenant))?;
        Ok(TenantAdmin::new(tenant, Actor::operator()))
    }
}
