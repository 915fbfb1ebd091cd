//! Super users in a tenant: they enter it, have the rights of its admins, and leave it. Its audit log records both.

use domain::{audit::Action, digest::Sha256Hex, id::TenantId, person::Role, tenant::Tenant};
use serde_json::json;
use store::{Chain, Event, Subject};

use crate::{
    Keyring,
    access::{ActiveSession, Actor},
    error::{Error, Thing},
};

impl Keyring {
    /// Takes a super user into a tenant, until they leave it, enter another or sign out.
    ///
    /// # Errors
    /// If they are no super user, or there is no such tenant.
    pub async fn enter_tenant(&self, signed_in: &ActiveSession, id: &TenantId) -> Result<Tenant, Error> {
        let super_user = signed_in.as_super_user()?;
        let tenant = store::tenants::find_tenant(&self.database, id).await?.ok_or(Error::NotFound(Thing::Tenant))?;
        if signed_in.entered().is_some_and(|entered| entered.id == tenant.id) {
            return Ok(tenant);
        }
        self.leave_tenant(signed_in).await?;
        if !self.moved(super_user.actor(), &signed_in.session, &tenant, Move::In).await? {
            let elsewhere = "You entered a tenant in another tab, or signed out there. Reload the page.";
            return Err(Error::Refused(elsewhere.to_owned()));
        }
        Ok(tenant)
    }

    /// Takes a super user out of the tenant that they are in. Twice is once.
    ///
    /// # Errors
    /// If they are no super user.
    pub async fn leave_tenant(&self, signed_in: &ActiveSession) -> Result<(), Error> {
        if signed_in.person.role != Role::SuperUser {
            return Err(Error::NotASuperUser);
        }
        if let Some(tenant) = signed_in.entered() {
            // The person acts as themselves here, because leaving needs no second factor.
            self.moved(&signed_in.as_person(), &signed_in.session, tenant, Move::Out).await?;
        }
        Ok(())
    }

    /// Returns whether the session was where the move starts. Only then is the move audited.
    async fn moved(&self, actor: &Actor, session: &Sha256Hex, tenant: &Tenant, which: Move) -> Result<bool, Error> {
        let chain = Chain::Tenant(&tenant.id);
        let change = self.begin_change(chain, actor).await?;
        let (from, to, action) = match which {
            Move::In => (None, Some(&tenant.id), Action::TenantEntered),
            Move::Out => (Some(&tenant.id), None, Action::TenantLeft),
        };
        if !store::sessions::move_between(&change, session, from, to).await? {
            return Ok(false);
        }
        let subject = Subject::new(&tenant.id, &tenant.name);
        change.commit(Event { action, subject, detail: json!({}) }).await?;
        Ok(true)
    }
}

#[derive(Clone, Copy)]
enum Move {
    In,
    Out,
}
