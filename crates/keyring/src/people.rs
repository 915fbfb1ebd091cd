//! People: who there is, and what admins and the operator do about them.

use domain::{
    audit::Action,
    field::{Field, FieldError, FieldErrors},
    id::{Id, PersonId},
    person::{Email, Person, PersonState, Profile, Role, parse_person_name},
    tenant::Tenant,
};
use secrecy::SecretString;
use serde_json::json;
use store::{Chain, Event, Subject, people::Account};

use crate::{
    Keyring,
    access::{ActiveSession, Actor, TenantAdmin},
    change::Change,
    error::{Error, Thing},
    password::Passwords,
    secret::new_id,
};

mod deactivation;
mod invite;
mod role;

pub(crate) use invite::invite;
pub use invite::{Invitation, Invited, Joined, NewInvitation};
pub use role::NewRole;

/// The input for a new person, as typed.
pub struct NewPerson {
    pub email: String,
    pub name: String,
    pub password: SecretString,
}

/// A new person whose fields have been checked.
struct ParsedPerson {
    email: Email,
    name: String,
    password_hash: String,
}

impl NewPerson {
    /// Before the transaction, which blocks other changes of the tenant.
    async fn parse(self, tenant: Option<&Tenant>, passwords: &Passwords) -> Result<ParsedPerson, FieldErrors> {
        let mut errors = FieldErrors::default();
        let email = errors.collect(Email::parse(&self.email));
        let name = errors.collect(parse_person_name(&self.name));
        let personal = personal_texts(&self.name, &self.email, tenant);
        let password_hash = errors.collect(passwords.hash_new(self.password, &personal).await);
        match (email, name, password_hash) {
            (Some(email), Some(name), Some(password_hash)) => Ok(ParsedPerson { email, name, password_hash }),
            _ => Err(errors),
        }
    }
}

/// Returns the texts that a person's password must not be based on.
pub(crate) fn personal_texts<'a>(name: &'a str, email: &'a str, tenant: Option<&'a Tenant>) -> Vec<&'a str> {
    let tenant = tenant.into_iter().flat_map(|tenant| [tenant.slug.as_str(), &tenant.name]);
    [name, email].into_iter().chain(tenant).collect()
}

/// The place where the operator looks for a person.
#[derive(Debug, Clone, Copy)]
pub enum PersonScope<'a> {
    Everyone,
    /// The tenant with this slug.
    Tenant(&'a str),
    SuperUsers,
}

/// A person of a tenant has a role there; one without a tenant is a super user.
fn belongs(tenant: Option<&TenantAdmin>, role: Role) -> bool {
    tenant.is_some() == (role != Role::SuperUser)
}

impl Keyring {
    /// Makes a person who can sign in.
    ///
    /// # Errors
    /// If a field is wrong or the e-mail address is taken.
    pub async fn create_person(
        &self,
        tenant: Option<&TenantAdmin>,
        role: Role,
        new: NewPerson,
    ) -> Result<Person, Error> {
        if !belongs(tenant, role) {
            return Err(Error::Refused(
                "A super user belongs to no tenant; every other person belongs to one.".to_owned(),
            ));
        }
        let parsed = new.parse(tenant.map(TenantAdmin::tenant), &self.passwords).await?;
        let operator = Actor::operator();
        let actor = tenant.map_or(&operator, TenantAdmin::actor);
        let change = self.begin_change(Chain::of_home(tenant.map(TenantAdmin::id)), actor).await?;
        insert(change, tenant, role, parsed).await
    }

    /// The people of a tenant, or the super users, by e-mail address.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn people(&self, tenant: Option<&TenantAdmin>) -> Result<Vec<Profile>, Error> {
        Ok(store::people::list(self.database.connection(), tenant.map(TenantAdmin::id)).await?)
    }

    /// One of a tenant's people.
    ///
    /// # Errors
    /// If the tenant has no person with this id.
    pub async fn person(&self, admin: &TenantAdmin, id: &PersonId) -> Result<Profile, Error> {
        let found = store::people::profile(self.database.connection(), Some(admin.id()), id).await?;
        found.ok_or(Error::NotFound(Thing::Person))
    }

    /// Returns true if the tenant would have no admin who can sign in without this person.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn is_last_admin(&self, admin: &TenantAdmin, person: &Profile) -> Result<bool, Error> {
        is_last_admin(self.database.connection(), admin, person).await
    }

    /// The people who can help with what the caller may not do: a member's admins, and for an admin the super users who
    /// acted in their tenant before.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn admin_contacts(&self, signed_in: &ActiveSession) -> Result<Vec<Person>, Error> {
        let connection = self.database.connection();
        Ok(match (signed_in.person.role, signed_in.home()) {
            (Role::Member, Some(tenant)) => store::people::admins(connection, &tenant.id).await?,
            (_, Some(tenant)) => store::people::super_users_who_acted_in(connection, &tenant.id).await?,
            (_, None) => store::people::super_users(connection).await?,
        })
    }

    /// The super users who acted in the tenant, by name.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn super_users_who_acted(&self, admin: &TenantAdmin) -> Result<Vec<Person>, Error> {
        Ok(store::people::super_users_who_acted_in(self.database.connection(), admin.id()).await?)
    }

    /// The operator, acting for the tenant that this person belongs to.
    ///
    /// # Errors
    /// If no tenant has such a person.
    pub async fn operator_for_person(&self, id: &PersonId) -> Result<TenantAdmin, Error> {
        let found = store::people::account(self.database.connection(), id).await?;
        let tenant = found.and_then(|account| account.tenant).ok_or(Error::NotFound(Thing::Person))?;
        self.operator_for(&tenant.to_string()).await
    }

    /// Gives a person another password and ends their sessions. For the operator.
    ///
    /// # Errors
    /// If there is no such person or several, or the password is too short or easy to guess.
    pub async fn set_password(&self, email: &str, scope: PersonScope<'_>, password: SecretString) -> Result<(), Error> {
        let email = Email::parse(email).map_err(FieldErrors::from)?;
        let account = self.account_in_scope(&email, scope).await?;
        let hash = self.hash_new_password(&account, password).await?;
        let Account { person, tenant, .. } = account;
        let change = self.begin_change(Chain::of_home(tenant.as_ref()), &Actor::operator()).await?;
        store::people::set_password(&change, &person.id, hash).await?;
        store::sessions::end_of_person(&change, &person.id, None).await?;
        let subject = Subject::new(&person.id, &person.name);
        let event = Event { action: Action::PasswordSet, subject, detail: json!({}) };
        change.commit(event).await
    }

    async fn account_in_scope(&self, email: &Email, scope: PersonScope<'_>) -> Result<Account, Error> {
        let slug = match scope {
            PersonScope::Tenant(slug) => Some(slug),
            PersonScope::Everyone | PersonScope::SuperUsers => None,
        };
        let mut accounts = store::people::accounts_by_email(self.database.connection(), email, slug).await?;
        if matches!(scope, PersonScope::SuperUsers) {
            accounts.retain(|account| account.tenant.is_none());
        }
        if accounts.len() > 1 {
            return Err(self.ambiguous_email(email, &accounts).await?);
        }
        accounts.pop().ok_or(Error::NotFound(Thing::Person))
    }

    async fn ambiguous_email(&self, email: &Email, accounts: &[Account]) -> Result<Error, Error> {
        let slugs = store::tenants::slugs(&self.database).await?;
        let owner = |account: &Account| match &account.tenant {
            Some(id) => slugs.get(id.as_str()).cloned().unwrap_or_else(|| id.to_string()),
            None => "a super user".to_owned(),
        };
        let mut owners: Vec<String> = accounts.iter().map(owner).collect();
        owners.sort();
        Ok(Error::AmbiguousEmail { email: email.as_str().to_owned(), owners })
    }

    /// Checks a new password of a person who exists, and returns the hash to store.
    pub(crate) async fn hash_new_password(&self, account: &Account, password: SecretString) -> Result<String, Error> {
        let tenant = match &account.tenant {
            Some(id) => store::tenants::find_tenant(&self.database, id).await?,
            None => None,
        };
        let personal = personal_texts(&account.person.name, account.person.email.as_str(), tenant.as_ref());
        Ok(self.passwords.hash_new(password, &personal).await.map_err(FieldErrors::from)?)
    }

    /// Makes the first super user, unless there is one.
    ///
    /// # Errors
    /// If a field is wrong or the database fails.
    pub async fn ensure_super_user(&self, new: NewPerson) -> Result<(), Error> {
        if store::people::any_super_user(self.database.connection()).await? {
            return Ok(());
        }
        let parsed = new.parse(None, &self.passwords).await?;
        let change = self.begin_change(Chain::Platform, &Actor::operator()).await?;
        // Another server that started at the same time may have been first.
        if !store::people::any_super_user(change.on()).await? {
            insert(change, None, Role::SuperUser, parsed).await?;
        }
        Ok(())
    }
}

async fn insert(
    change: Change,
    tenant: Option<&TenantAdmin>,
    role: Role,
    parsed: ParsedPerson,
) -> Result<Person, Error> {
    let ParsedPerson { email, name, password_hash } = parsed;
    let person = Person { id: new_id(change.now()), email, name, role };
    if !store::people::insert(&change, tenant.map(TenantAdmin::id), &person, Some(password_hash)).await? {
        return Err(email_taken());
    }
    let (subject, detail) = (Subject::new(&person.id, &person.name), json!({ "after": person }));
    change.commit(Event { action: Action::PersonCreated, subject, detail }).await?;
    Ok(person)
}

fn email_taken() -> Error {
    let taken = FieldError::new(Field::Email, "taken", "Another person here already has this e-mail address.");
    FieldErrors::from(taken).into()
}

/// One of a tenant's people, within a change.
pub(crate) async fn load_person(change: &Change, admin: &TenantAdmin, id: &PersonId) -> Result<Profile, Error> {
    let found = store::people::profile(change.on(), Some(admin.id()), id).await?;
    found.ok_or(Error::NotFound(Thing::Person))
}

/// A tenant always keeps an admin who can sign in. This person is about to stop being one.
async fn check_not_last_admin(change: &Change, admin: &TenantAdmin, found: &Profile) -> Result<(), Error> {
    if !is_last_admin(change.on(), admin, found).await? {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "{} is the only admin who can sign in. Make another person an admin first.",
        found.person.name
    )))
}

async fn is_last_admin(
    connection: &impl store::Connection,
    admin: &TenantAdmin,
    found: &Profile,
) -> Result<bool, Error> {
    let is_in_charge = found.person.role == Role::TenantAdmin && found.state == PersonState::Active;
    Ok(is_in_charge && !store::people::has_other_admins(connection, admin.id(), &found.person.id).await?)
}

/// Refuses a change of oneself: another admin must make it, or the person uses the Security page, which requires a
/// password or code. An open session is not enough.
pub(crate) fn check_not_oneself(admin: &TenantAdmin, id: &PersonId, instead: &str) -> Result<(), Error> {
    if admin.is(id) { Err(Error::Refused(instead.to_owned())) } else { Ok(()) }
}
