//! Who acts. A use case takes the proof that somebody may do it, so forgetting to check does not compile.

use std::{net::IpAddr, sync::Arc};

use domain::{
    id::{Id, KeyId, PersonId, TenantId},
    person::{Person, Role},
    secret::KeyKind,
    tenant::Tenant,
};

use crate::{
    Keyring,
    error::{Error, Thing},
    secret::Sha256Hex,
    store,
};

/// Whose name stands in the audit log, and from where they acted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub(crate) id: String,
    pub(crate) name: String,
    /// None at a shell.
    pub(crate) address: Option<IpAddr>,
}

impl Actor {
    /// Whoever has a shell on the machine.
    #[must_use]
    pub fn operator() -> Self {
        Self { id: "operator".to_owned(), name: "Operator".to_owned(), address: None }
    }

    /// A super user is told apart from a tenant's own people by more than their name.
    pub(crate) fn person(person: &Person, address: IpAddr) -> Self {
        let name = match person.role {
            Role::SuperUser => format!("{} (super user)", person.name),
            Role::TenantAdmin | Role::Member => person.name.clone(),
        };
        Self { id: person.id.to_string(), name, address: Some(address.to_canonical()) }
    }
}

/// A person with a live session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub person: Person,
    /// The person's own tenant, or the one that a super user has entered.
    pub tenant: Option<Tenant>,
    pub has_second_factor: bool,
    pub(crate) session: Sha256Hex,
    pub(crate) address: IpAddr,
}

impl SignedIn {
    /// The person as an admin: of their own tenant, or of the one that they entered as a super user.
    ///
    /// # Errors
    /// When they are none, or have yet to set up the second factor that the tenant asks for.
    pub fn as_admin(&self) -> Result<TenantAdmin, Error> {
        let (Some(tenant), Role::TenantAdmin | Role::SuperUser) = (&self.tenant, self.person.role) else {
            return Err(Error::NotAnAdmin);
        };
        self.check_second_factor()?;
        Ok(TenantAdmin::new(tenant.clone(), self.actor()))
    }

    /// The person as somebody with keys of their own.
    ///
    /// # Errors
    /// When they belong to no tenant, or have yet to set up the second factor that it asks for.
    pub fn as_key_holder(&self) -> Result<KeyHolder, Error> {
        let (Some(tenant), Role::TenantAdmin | Role::Member) = (&self.tenant, self.person.role) else {
            return Err(Error::NoKeysOfTheirOwn);
        };
        self.check_second_factor()?;
        Ok(KeyHolder::new(tenant.clone(), &self.person, self.address))
    }

    /// The person as one who runs the installation.
    ///
    /// # Errors
    /// When they are no super user.
    pub fn as_super_user(&self) -> Result<SuperUser, Error> {
        match self.person.role {
            Role::SuperUser => Ok(SuperUser { actor: self.actor() }),
            Role::TenantAdmin | Role::Member => Err(Error::NotASuperUser),
        }
    }

    /// The tenant that a super user is in at the moment.
    #[must_use]
    pub fn entered(&self) -> Option<&Tenant> {
        self.tenant.as_ref().filter(|_| self.person.role == Role::SuperUser)
    }

    /// Whether the tenant asks for a second factor that the person has yet to set up. Until then they can do
    /// nothing else.
    #[must_use]
    pub fn owes_second_factor(&self) -> bool {
        !self.has_second_factor && self.tenant.as_ref().is_some_and(|tenant| tenant.requires_second_factor)
    }

    fn check_second_factor(&self) -> Result<(), Error> {
        if self.owes_second_factor() { Err(Error::OwesSecondFactor) } else { Ok(()) }
    }

    pub(crate) fn actor(&self) -> Actor {
        Actor::person(&self.person, self.address)
    }
}

/// Somebody who may administer one tenant: an admin who signed in, a super user who entered it, or the operator.
#[derive(Debug, Clone)]
pub struct TenantAdmin {
    tenant: Tenant,
    actor: Actor,
    shelf: Shelf,
}

impl TenantAdmin {
    pub(crate) fn new(tenant: Tenant, actor: Actor) -> Self {
        let shelf = Shelf { tenant: tenant.id.clone(), keys: Kept::OfTenant };
        Self { tenant, actor, shelf }
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

    /// Whether the admin is this person.
    #[must_use]
    pub fn is(&self, person: &PersonId) -> bool {
        self.actor.id == person.as_str()
    }

    /// The admin's view of one person's keys.
    pub(crate) fn shelf_of(&self, person: &PersonId) -> Shelf {
        Shelf { tenant: self.tenant.id.clone(), keys: Kept::OfPerson(person.clone()) }
    }

    /// The same admin, looking at the personal keys of the tenant's people.
    #[must_use]
    pub fn over_personal_keys(&self) -> Overseer {
        let shelf = Shelf { tenant: self.tenant.id.clone(), keys: Kept::OfPeople };
        Overseer { tenant: self.tenant.clone(), actor: self.actor.clone(), shelf }
    }
}

/// Somebody of a tenant, with keys of their own.
#[derive(Debug, Clone)]
pub struct KeyHolder {
    tenant: Tenant,
    actor: Actor,
    shelf: Shelf,
}

impl KeyHolder {
    pub(crate) fn new(tenant: Tenant, person: &Person, address: IpAddr) -> Self {
        let shelf = Shelf { tenant: tenant.id.clone(), keys: Kept::OfPerson(person.id.clone()) };
        Self { tenant, actor: Actor::person(person, address), shelf }
    }
}

/// An admin who sees everybody's personal keys and can withdraw them, and nothing more.
#[derive(Debug, Clone)]
pub struct Overseer {
    tenant: Tenant,
    actor: Actor,
    shelf: Shelf,
}

/// Somebody who runs the installation.
#[derive(Debug, Clone)]
pub struct SuperUser {
    actor: Actor,
}

impl SuperUser {
    /// Whoever has a shell on the machine.
    #[must_use]
    pub fn operator() -> Self {
        Self { actor: Actor::operator() }
    }

    pub(crate) fn actor(&self) -> &Actor {
        &self.actor
    }
}

/// Some of a tenant's keys: where every query of keys starts.
#[derive(Debug, Clone)]
pub struct Shelf {
    pub(crate) tenant: TenantId,
    pub(crate) keys: Kept,
}

impl Shelf {
    pub(crate) fn kind(&self) -> KeyKind {
        match self.keys {
            Kept::OfTenant => KeyKind::Tenant,
            Kept::OfPerson(_) | Kept::OfPeople => KeyKind::Personal,
        }
    }

    pub(crate) fn owner(&self) -> Option<&PersonId> {
        match &self.keys {
            Kept::OfPerson(person) => Some(person),
            Kept::OfTenant | Kept::OfPeople => None,
        }
    }
}

/// Which of a tenant's keys are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Those that belong to the tenant itself.
    OfTenant,
    OfPerson(PersonId),
    /// The personal keys of all its people.
    OfPeople,
}

mod sealed {
    pub trait Sealed {}
}

/// Who may see some keys, and end them.
pub trait Watcher: sealed::Sealed + Sync {
    fn tenant(&self) -> &Tenant;
    fn actor(&self) -> &Actor;
    fn shelf(&self) -> &Shelf;
}

/// Who may do everything with some keys: an admin with those of the tenant, a person with their own.
pub trait Keeper: Watcher {}

impl Keeper for TenantAdmin {}
impl Keeper for KeyHolder {}

impl<T: Watcher + ?Sized> sealed::Sealed for Arc<T> {}

impl<T: Watcher + Send + ?Sized> Watcher for Arc<T> {
    fn tenant(&self) -> &Tenant {
        self.as_ref().tenant()
    }

    fn actor(&self) -> &Actor {
        self.as_ref().actor()
    }

    fn shelf(&self) -> &Shelf {
        self.as_ref().shelf()
    }
}

impl<T: Keeper + Send + ?Sized> Keeper for Arc<T> {}

macro_rules! watchers {
    ($($name:ident),*) => {$(
        impl sealed::Sealed for $name {}

        impl Watcher for $name {
            fn tenant(&self) -> &Tenant {
                &self.tenant
            }

            fn actor(&self) -> &Actor {
                &self.actor
            }

            fn shelf(&self) -> &Shelf {
                &self.shelf
            }
        }
    )*};
}

watchers!(TenantAdmin, KeyHolder, Overseer);

impl Keyring {
    /// The operator, acting for the tenant that has this key.
    ///
    /// # Errors
    /// When there is no such key.
    pub async fn operator_for_key(&self, key: &KeyId) -> Result<TenantAdmin, Error> {
        let tenant = store::keys::tenant_of(self.database.connection(), key).await?;
        let tenant = tenant.ok_or(Error::NotFound(Thing::Key))?;
        self.operator_for(tenant.as_str()).await
    }

    /// The operator, acting for the tenant with this slug or id.
    ///
    /// # Errors
    /// When there is no such tenant.
    pub async fn operator_for(&self, tenant: &str) -> Result<TenantAdmin, Error> {
        let found = match TenantId::parse(tenant) {
            Ok(id) => store::tenants::find(&self.database, &id).await?,
            Err(_) => store::tenants::find_by_slug(&self.database, tenant).await?,
        };
        let tenant = found.ok_or(Error::NotFound(Thing::Tenant))?;
        Ok(TenantAdmin::new(tenant, Actor::operator()))
    }
}
