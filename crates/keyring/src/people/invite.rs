//! Invitations: a link with which a person sets their own password, once and within seven days.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    audit::Action,
    digest::Sha256Hex,
    field::FieldErrors,
    id::{PersonId, TenantId},
    person::{Email, Person, PersonState, Role, parse_person_name},
    tenant::Tenant,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use store::{Chain, Event, Subject, people::Account};

use super::{NewRole, check_not_oneself, email_taken, load_person};
use crate::{
    Keyring,
    access::{Actor, TenantAdmin},
    change::Change,
    error::{Error, Thing},
    secret::{new_id, random_hex},
};

const GOOD_FOR: TimeDelta = TimeDelta::days(7);

/// The input for an invitation, as typed.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    pub email: String,
    pub name: String,
    pub role: NewRole,
}

/// The one answer that carries what the link ends with.
pub struct Invitation {
    pub person: Person,
    pub token: SecretString,
    pub expires_at: DateTime<Utc>,
}

/// The invited person, as the page behind the link shows them.
#[derive(Debug, Clone)]
pub struct Invited {
    pub name: String,
    pub email: Email,
    /// None for a super user.
    pub tenant: Option<Tenant>,
    /// True if the link sets the person's first password.
    pub is_new: bool,
    /// True if signing in also takes a second factor.
    pub has_second_factor: bool,
}

/// The sign-in details of a person who has just set their password.
#[derive(Debug, Clone)]
pub struct Joined {
    /// None for a super user.
    pub organization: Option<String>,
    pub email: Email,
}

impl NewInvitation {
    pub(crate) fn parse(&self) -> Result<(Email, String), FieldErrors> {
        let mut errors = FieldErrors::default();
        let email = errors.collect(Email::parse(&self.email));
        let name = errors.collect(parse_person_name(&self.name));
        email.zip(name).ok_or(errors)
    }
}

impl Keyring {
    /// Invites a person to the tenant.
    ///
    /// # Errors
    /// Names every wrong field; refuses an e-mail address that is taken, and to invite an admin before the caller has
    /// confirmed their identity.
    pub async fn invite_person(&self, admin: &TenantAdmin, new: &NewInvitation) -> Result<Invitation, Error> {
        let change = match Role::parse(&new.role.role) {
            // A new admin can do everything that the inviting one can.
            Some(Role::TenantAdmin) => self.confirmed_change(admin).await?,
            _ => self.change(admin).await?,
        };
        let known = store::groups::list(change.on(), admin.id()).await?;
        let (_, (role, groups)) = FieldErrors::both(new.parse(), new.role.parse(&known))?;
        let invitation = invite(&change, admin.id(), new, role).await?;
        let person = &invitation.person;
        store::people::set_groups(&change, &person.id, &groups).await?;
        let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
        let subject = Subject::new(&person.id, &person.name);
        let after = json!({ "email": person.email, "role": role, "groups": names });
        let detail = json!({ "after": after, "expires_at": invitation.expires_at });
        change.commit(Event { action: Action::PersonInvited, subject, detail }).await?;
        Ok(invitation)
    }

    /// Creates a new link for a person who lost the first or forgot their password. Earlier links become invalid.
    ///
    /// # Errors
    /// If the admin has to confirm their identity first, the tenant has no person with this id, it is the admin themselves,
    /// or the person was deactivated.
    pub async fn make_password_link(&self, admin: &TenantAdmin, id: &PersonId) -> Result<Invitation, Error> {
        check_not_oneself(admin, id, "Change your own password under Security.")?;
        let change = self.confirmed_change(admin).await?;
        let found = load_person(&change, admin, id).await?;
        if found.state == PersonState::Deactivated {
            return Err(Error::Refused(format!("{} is deactivated. Reactivate them first.", found.person.name)));
        }
        let invitation = make_link(&change, found.person).await?;
        let (subject, detail) =
            (Subject::new(id, &invitation.person.name), json!({ "expires_at": invitation.expires_at }));
        change.commit(Event { action: Action::PersonLinkMade, subject, detail }).await?;
        Ok(invitation)
    }

    /// Returns the person that a link invites.
    ///
    /// # Errors
    /// If the link was used already, is too old or never was one.
    pub async fn invited(&self, token: &SecretString) -> Result<Invited, Error> {
        let found = self.account_by_link(&Sha256Hex::of(token.expose_secret())).await?;
        let account = found.ok_or(Error::NotFound(Thing::Invitation))?;
        let tenant = match &account.tenant {
            Some(id) => store::tenants::find_tenant(&self.database, id).await?,
            None => None,
        };
        let (is_new, has_second_factor) = (account.password_hash.is_none(), account.has_second_factor());
        Ok(Invited { name: account.person.name, email: account.person.email, tenant, is_new, has_second_factor })
    }

    /// Sets a password by a link, which ends with it, and so do the person's sessions.
    ///
    /// # Errors
    /// If the password is too short or easy to guess, or the link was used already, is too old or never was one.
    pub async fn accept_invitation(
        &self,
        token: &SecretString,
        password: SecretString,
        address: IpAddr,
    ) -> Result<Joined, Error> {
        let token = Sha256Hex::of(token.expose_secret());
        let account = self.account_by_link(&token).await?.ok_or_else(no_longer_good)?;
        let hash = self.hash_new_password(&account, password).await?;
        let Account { person, tenant, .. } = account;
        let actor = Actor::with_credential(&person, address);
        let change = self.begin_change(Chain::of_home(tenant.as_ref()), &actor).await?;
        if !store::invitations::consume(&change, &token).await? {
            return Err(no_longer_good());
        }
        store::people::set_password(&change, &person.id, hash).await?;
        let ended = store::sessions::end_of_person(&change, &person.id, None).await?;
        let (subject, detail) = (Subject::new(&person.id, &person.name), json!({ "sessions_ended": ended }));
        change.commit(Event { action: Action::PersonJoined, subject, detail }).await?;
        let organization = match &tenant {
            Some(id) => store::tenants::find_tenant(&self.database, id).await?.map(|tenant| tenant.slug),
            None => None,
        };
        Ok(Joined { organization, email: person.email })
    }

    /// Returns the account that a valid link belongs to.
    async fn account_by_link(&self, token: &Sha256Hex) -> Result<Option<Account>, Error> {
        let connection = self.database.connection();
        let Some(person) = store::invitations::person_of(connection, token, self.now()).await? else { return Ok(None) };
        Ok(store::people::account(connection, &person).await?)
    }
}

fn no_longer_good() -> Error {
    let reason = "This link was already used, was replaced by a newer one, or has expired. Ask an admin for a new \
        one.";
    Error::Refused(reason.to_owned())
}

/// Adds a person without a password, with a link to set one. The caller audits it.
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
    make_link(change, person).await
}

async fn make_link(change: &Change, person: Person) -> Result<Invitation, Error> {
    let token = SecretString::from(random_hex());
    let expires_at = change.now() + GOOD_FOR;
    store::invitations::replace(change, &person.id, &Sha256Hex::of(token.expose_secret()), expires_at).await?;
    Ok(Invitation { person, token, expires_at })
}
