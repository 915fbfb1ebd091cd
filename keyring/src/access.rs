//! Who acts. A use case that needs an admin takes a [`TenantAdmin`], so forgetting to check does not compile.

use domain::{
    id::{Id, KeyId, TenantId},
    person::{Person, Role},
    tenant::Tenant,
};

use crate::{
    Keyring,
    error::{Error, Thing},
    store,
};

/// Whose name stands in the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl Actor {
    /// Whoever has a shell on the machine.
    #[must_use]
    pub fn operator() -> Self {
        Self { id: "operator".to_owned(), name: "Operator".to_owned() }
    }

    fn person(person: &Person) -> Self {
        Self { id: person.id.to_string(), name: person.name.clone() }
    }
}

/// A person with a live session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub person: Person,
    /// None for a super user.
    pub tenant: Option<Tenant>,
}

/// Somebody who may administer one tenant: an admin who signed in, or the operator.
#[derive(Debug, Clone)]
pub struct TenantAdmin {
    tenant: Tenant,
    actor: Actor,
}

impl SignedIn {
    /// The person as an admin of their tenant.
    ///
    /// # Errors
    /// When they are none.
    pub fn as_admin(&self) -> Result<TenantAdmin, Error> {
        match (&self.tenant, self.person.role) {
            (Some(tenant), Role::TenantAdmin) => {
                Ok(TenantAdmin { tenant: tenant.clone(), actor: Actor::person(&self.person) })
            }
            _ => Err(Error::NotAnAdmin),
        }
    }
}

impl TenantAdmin {
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
}

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
        Ok(TenantAdmin { tenant, actor: Actor::operator() })
    }
}
