//! The actions of people on their own account: name, password and sessions.

use domain::{
    audit::Action,
    field::{Field, FieldError, FieldErrors},
    group::Group,
    person::{Role, Session, check_new_password, parse_person_name},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use store::{Chain, Event, Subject, people::Account};
use verify::rate_limit::sign_in::{Attempt, Proof};

use crate::{
    Keyring,
    access::ActiveSession,
    change::Change,
    error::{Error, Thing},
    security_events::FailureReason,
};

/// Checks inside a change that the password that was verified is still the person's.
pub(crate) async fn hold_password(change: &Change, account: &Account) -> Result<(), Error> {
    let hash = account.password_hash.as_deref().unwrap_or_default();
    if store::people::hold(change, &account.person.id, hash).await? {
        return Ok(());
    }
    Err(Error::Refused("Your password was changed elsewhere a moment ago.".to_owned()))
}

impl Keyring {
    /// Begins a person's change of themselves, audited where they belong.
    pub(crate) async fn own_change(&self, signed_in: &ActiveSession) -> Result<Change, Error> {
        let chain = Chain::of_home(signed_in.home().map(|tenant| &tenant.id));
        self.begin_change(chain, &signed_in.as_person()).await
    }

    /// The groups that say what a member may do. An admin has no need of any, and a super user belongs to no tenant.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn own_groups(&self, signed_in: &ActiveSession) -> Result<Vec<Group>, Error> {
        let (Some(tenant), Role::Member) = (&signed_in.tenant, signed_in.person.role) else { return Ok(Vec::new()) };
        Ok(store::people::groups_of(self.database.connection(), &tenant.id, &signed_in.person.id).await?)
    }

    /// Gives a person another name.
    ///
    /// # Errors
    /// If it is too short or too long.
    pub async fn rename_oneself(&self, signed_in: &ActiveSession, name: &str) -> Result<(), Error> {
        let name = parse_person_name(name).map_err(FieldErrors::from)?;
        let person = &signed_in.person;
        if name == person.name {
            return Ok(());
        }
        let change = self.own_change(signed_in).await?;
        store::people::set_name(&change, &person.id, &name).await?;
        let subject = Subject::new(&person.id, &name);
        let detail = json!({ "before": { "name": person.name }, "after": { "name": name } });
        change.commit(Event { action: Action::PersonRenamed, subject, detail }).await
    }

    /// Gives a person another password and ends their other sessions.
    ///
    /// # Errors
    /// If the current password is wrong, or the new one too short or easy to guess.
    pub async fn change_password(
        &self,
        signed_in: &ActiveSession,
        current: SecretString,
        new: SecretString,
    ) -> Result<(), Error> {
        check_new_password(new.expose_secret()).map_err(FieldErrors::from)?;
        let person = &signed_in.person;
        let account = self.check_own_password(signed_in, &current, Field::CurrentPassword).await?;
        let new_hash = self.hash_new_password(&account, new).await?;
        let change = self.own_change(signed_in).await?;
        hold_password(&change, &account).await?;
        store::people::set_password(&change, &person.id, new_hash).await?;
        let ended = store::sessions::end_of_person(&change, &person.id, Some(&signed_in.session)).await?;
        let (subject, detail) = (Subject::new(&person.id, &person.name), json!({ "sessions_ended": ended }));
        change.commit(Event { action: Action::PasswordChanged, subject, detail }).await
    }

    /// Checks the password of the person behind a session. A wrong one is counted, and reported at the field.
    pub(crate) async fn check_own_password(
        &self,
        signed_in: &ActiveSession,
        password: &SecretString,
        field: Field,
    ) -> Result<Account, Error> {
        let (person, address) = (&signed_in.person.id, signed_in.address);
        let account = store::people::account(self.database.connection(), person).await?;
        let account = account.ok_or(Error::NotFound(Thing::Person))?;
        let attempt = Attempt::at(Proof::CurrentPassword, person, address);
        if self.verify_password(&attempt, password, account.password_hash.clone()).await? {
            return Ok(account);
        }
        self.security_events.report_failure(FailureReason::WrongCurrentPassword, Some(person), address);
        Err(FieldErrors::from(FieldError::new(field, "wrong", "This is not your current password.")).into())
    }

    /// Returns the person's sessions, the most recent first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn own_sessions(&self, signed_in: &ActiveSession) -> Result<Vec<Session>, Error> {
        let (person, session) = (&signed_in.person.id, &signed_in.session);
        Ok(store::sessions::list(&self.database, person, Some(session), self.now()).await?)
    }

    /// Signs a person out everywhere, here as well.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn sign_out_everywhere(&self, signed_in: &ActiveSession) -> Result<(), Error> {
        let person = &signed_in.person;
        if signed_in.entered().is_some() {
            self.leave_tenant(signed_in).await?;
        }
        let change = self.own_change(signed_in).await?;
        let ended = store::sessions::end_of_person(&change, &person.id, None).await?;
        let (subject, detail) = (Subject::new(&person.id, &person.name), json!({ "sessions_ended": ended }));
        change.commit(Event { action: Action::SessionsEnded, subject, detail }).await
    }
}
