//! Super users in a tenant: they enter it, do what its admins can, and leave it. Its audit log tells of both.

use domain::{audit::Action, id::TenantId, tenant::Tenant};
use serde_json::json;

use crate::{
    Keyring,
    access::SignedIn,
    error::{Error, Thing},
    store::{self, Chain, Change, Event, Subject},
};

impl Keyring {
    /// Takes a super user into a tenant, until they leave it or sign out.
    ///
    /// # Errors
    /// When they are no super user, or there is no such tenant.
    pub async fn enter_tenant(&self, signed_in: &SignedIn, id: &TenantId) -> Result<Tenant, Error> {
        signed_in.as_super_user()?;
        let tenant = store::tenants::find(&self.database, id).await?.ok_or(Error::NotFound(Thing::Tenant))?;
        self.move_to(signed_in, &tenant, Some(&tenant.id), Action::TenantEntered).await?;
        Ok(tenant)
    }

    /// Takes a super user out of the tenant that they are in.
    ///
    /// # Errors
    /// When they are no super user.
    pub async fn leave_tenant(&self, signed_in: &SignedIn) -> Result<(), Error> {
        signed_in.as_super_user()?;
        let Some(tenant) = &signed_in.tenant else { return Ok(()) };
        self.move_to(signed_in, tenant, None, Action::TenantLeft).await
    }

    async fn move_to(
        &self,
        signed_in: &SignedIn,
        tenant: &Tenant,
        entered: Option<&TenantId>,
        action: Action,
    ) -> Result<(), Error> {
        let change = Change::begin(&self.database, Chain::Tenant(&tenant.id), self.now()).await?;
        store::sessions::set_entered(&change, &signed_in.session, entered).await?;
        let subject = Subject::new(&tenant.id, &tenant.name);
        Ok(change.commit(Event { actor: &signed_in.actor(), action, subject, detail: json!({}) }).await?)
    }
}
