//! Switching people off and on, and ending their sessions.

use domain::{
    audit::Action,
    id::PersonId,
    person::{PersonState, Session},
};
use serde_json::json;
use store::{Event, Subject};

use super::{check_not_last_admin, check_not_oneself, load_person};
use crate::{Keyring, access::TenantAdmin, error::Error};

impl Keyring {
    /// Switches a person off: from their next request they can do nothing, and neither can their keys.
    ///
    /// # Errors
    /// If the tenant has no person with this id, it is the admin themselves, or no admin would be left.
    pub async fn deactivate(&self, admin: &TenantAdmin, id: &PersonId) -> Result<(), Error> {
        check_not_oneself(admin, id, "You cannot deactivate yourself. Ask another admin.")?;
        let change = self.change(admin).await?;
        let found = load_person(&change, admin, id).await?;
        if found.state == PersonState::Deactivated {
            return Ok(change.already_made().await?);
        }
        check_not_last_admin(&change, admin, &found).await?;
        store::people::set_deactivated(&change, id, Some(change.now())).await?;
        store::invitations::delete_of_person(&change, id).await?;
        let ended = store::sessions::end_of_person(&change, id, None).await?;
        let (subject, detail) = (Subject::new(id, &found.person.name), json!({ "sessions_ended": ended }));
        change.commit(Event { action: Action::PersonDeactivated, subject, detail }).await
    }

    /// Switches a person on again, with the role, the groups and the keys that they had.
    ///
    /// # Errors
    /// If the tenant has no person with this id, or it is the admin themselves.
    pub async fn reactivate(&self, admin: &TenantAdmin, id: &PersonId) -> Result<(), Error> {
        check_not_oneself(admin, id, "You cannot reactivate yourself. Ask another admin.")?;
        let change = self.change(admin).await?;
        let found = load_person(&change, admin, id).await?;
        if found.state != PersonState::Deactivated {
            return Ok(());
        }
        store::people::set_deactivated(&change, id, None).await?;
        let subject = Subject::new(id, &found.person.name);
        let event = Event { action: Action::PersonReactivated, subject, detail: json!({}) };
        change.commit(event).await
    }

    /// Signs a person out everywhere. They can sign in again.
    ///
    /// # Errors
    /// If the tenant has no person with this id.
    pub async fn end_sessions_of(&self, admin: &TenantAdmin, id: &PersonId) -> Result<u64, Error> {
        let change = self.change(admin).await?;
        let found = load_person(&change, admin, id).await?;
        // Also without a session: there may be access tokens to end.
        let ended = store::sessions::end_of_person(&change, id, None).await?;
        let (subject, detail) = (Subject::new(id, &found.person.name), json!({ "sessions_ended": ended }));
        change.commit(Event { action: Action::SessionsEnded, subject, detail }).await?;
        Ok(ended)
    }

    /// Returns the sessions of one of the tenant's people.
    ///
    /// # Errors
    /// If the tenant has no person with this id.
    pub async fn sessions_of(&self, admin: &TenantAdmin, id: &PersonId) -> Result<Vec<Session>, Error> {
        self.person(admin, id).await?;
        Ok(store::sessions::list(&self.database, id, None, self.now()).await?)
    }
}
