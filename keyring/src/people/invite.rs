//! Inviting people: a link by which somebody sets their own password, good once and for seven days.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    audit::Action,
    field::FieldErrors,
    id::{PersonId, TenantId},
    person::{Email, Person, PersonState, Role, check_new_password},
    tenant::Tenant,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{NewRole, email_taken, find, parse_name};
use crate::{
    Keyring,
    access::{Actor, TenantAdmin},
    error::{Error, Thing},
    secret::{Sha256Hex, new_id, random_hex},
    store::{self, Change, Event, Subject},
};

const GOOD_FOR: TimeDelta = TimeDelta::days(7);

/// Who is to be invited, as it was typed.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    pub email: String,
    pub name: String,
    pub role: NewRole,
}

/// The one answer that carries what the link ends with.
pub struct Invitation {
    pub person: PersonId,
    pub token: SecretString,
    pub expires_at: DateTime<Utc>,
}

/// Who was invited, as the page behind the link shows it.
#[derive(Debug, Clone)]
pub struct Invited {
    pub name: String,
    pub email: Email,
    /// None for a super user.
    pub tenant: Option<Tenant>,
    /// Whether it is their first password.
    pub is_new: bool,
}

impl NewInvitation {
    pub(crate) fn parse(&self) -> Result<(Email, String), FieldErrors> {
        let mut errors = FieldErrors::default();
        let email = errors.collect(Email::parse(&self.email).map_err(|error| vec![error]));
        let name = errors.collect(parse_name(&self.name));
        email.zip(name).ok_or(errors)
    }
}

impl Keyring {
    /// Invites somebody into the tenant.
    ///
    /// # Errors
    /// Names every wrong field; refuses an e-mail address that is taken.
    pub async fn invite_person(&self, admin: &TenantAdmin, new: &NewInvitation) -> Result<Invitation, Error> {
        let change = self.change(admin).await?;
        let (role, groups) = match (new.parse(), new.role.parse(&change, admin).await) {
            (Ok(_), Ok(role)) => role,
            (Err(mut wrong), Err(Error::Invalid(more))) => {
                wrong.0.extend(more.0);
                return Err(wrong.into());
            }
            (Err(wrong), _) => return Err(wrong.into()),
            (Ok(_), Err(error)) => return Err(error),
        };
        let invitation = invite(&change, admin.id(), new, role).await?;
        store::people::set_groups(&change, &invitation.person, &groups).await?;
        let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
        let subject = Subject::new(&invitation.person, &new.name);
        let detail = json!({ "after": { "email": new.email, "role": role, "groups": names }, "expires_at": invitation.expires_at });
        change.commit(Event { actor: admin.actor(), action: Action::PersonInvited, subject, detail }).await?;
        Ok(invitation)
    }

    /// Makes another link for somebody who lost the first, or forgot their password. Earlier links end.
    ///
    /// # Errors
    /// When the tenant has nobody with this id, or they were switched off.
    pub async fn make_password_link(&self, admin: &TenantAdmin, id: &PersonId) -> Result<Invitation, Error> {
        let change = self.change(admin).await?;
        let found = find(&change, admin, id).await?;
        if found.state == PersonState::SwitchedOff {
            return Err(Error::Refused(format!("{} was switched off. Switch them on first.", found.person.name)));
        }
        let invitation = make_link(&change, id).await?;
        let (subject, detail) = (Subject::new(id, &found.person.name), json!({ "expires_at": invitation.expires_at }));
        change.commit(Event { actor: admin.actor(), action: Action::PersonLinkMade, subject, detail }).await?;
        Ok(invitation)
    }

    /// Whom a link invites.
    ///
    /// # Errors
    /// When the link was used already, is too old or never was one.
    pub async fn invited(&self, token: &SecretString) -> Result<Invited, Error> {
        let (token, now) = (Sha256Hex::of(token.expose_secret()), self.now());
        let found = store::invitations::person_of(self.database.connection(), &token, now).await?;
        let person = found.ok_or(Error::NotFound(Thing::Invitation))?;
        let account = store::people::account(self.database.connection(), &person).await?;
        let account = account.ok_or(Error::NotFound(Thing::Invitation))?;
        let tenant = match &account.tenant {
            Some(id) => store::tenants::find(&self.database, id).await?,
            None => None,
        };
        let is_new = account.password_hash.is_none();
        Ok(Invited { name: account.person.name, email: account.person.email, tenant, is_new })
    }

    /// Sets a password by a link, which ends with it, and so do the person's sessions.
    ///
    /// # Errors
    /// When the password is too short, or the link was used already, is too old or never was one.
    pub async fn accept_invitation(
        &self,
        token: &SecretString,
        password: SecretString,
        address: std::net::IpAddr,
    ) -> Result<Email, Error> {
        check_new_password(password.expose_secret()).map_err(FieldErrors::from)?;
        let token = Sha256Hex::of(token.expose_secret());
        let found = store::invitations::person_of(self.database.connection(), &token, self.now()).await?;
        let id = found.ok_or(Error::NotFound(Thing::Invitation))?;
        let account = store::people::account(self.database.connection(), &id).await?;
        let account = account.ok_or(Error::NotFound(Thing::Invitation))?;
        let hash = self.passwords.hash(password).await;
        let change = Change::begin(&self.database, super::chain(account.tenant.as_ref()), self.now()).await?;
        if !store::invitations::spend(&change, &token).await? {
            return Err(Error::NotFound(Thing::Invitation));
        }
        store::people::set_password(&change, &id, hash).await?;
        store::sessions::end_of_person(&change, &id, None).await?;
        let actor = Actor::person(&account.person, address);
        let subject = Subject::new(&id, &account.person.name);
        change.commit(Event { actor: &actor, action: Action::PersonJoined, subject, detail: json!({}) }).await?;
        Ok(account.person.email)
    }
}

/// Adds somebody who has yet to set a password, with a link to do so. Whoever calls this tells the audit log.
pub(crate) async fn invite(
    change: &Change,
    tenant: &TenantId,
    new: &NewInvitation,
    role: Role,
) -> Result<Invitation, Error> {
    let (email, name) = new.parse()?;
    let person = Person { id: new_id(change.now()), email, name, role };
    if !store::people::insert(change, Some(tenant), &person, None).await? {
        return Err(email_taken());
    }
    make_link(change, &person.id).await
}

async fn make_link(change: &Change, person: &PersonId) -> Result<Invitation, Error> {
    let token = SecretString::from(random_hex());
    let expires_at = change.now() + GOOD_FOR;
    store::invitations::replace(change, person, &Sha256Hex::of(token.expose_secret()), expires_at).await?;
    Ok(Invitation { person: person.clone(), token, expires_at })
}
