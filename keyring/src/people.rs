//! People: made by the operator, with their first password.

use domain::{
    field::{Field, FieldError, FieldErrors},
    group,
    id::Id,
    key_draft::bad_name,
    person::{Email, Person, Role, check_new_password},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::{
    Keyring,
    access::{Actor, TenantAdmin},
    error::{Error, Thing},
    secret::new_id,
    store::{self, Chain, Change, Event},
};

/// What a new person is made of, as it was typed.
pub struct NewPerson {
    pub email: String,
    pub name: String,
    pub password: SecretString,
}

impl NewPerson {
    fn parse(&self) -> Result<(Email, String), FieldErrors> {
        let mut errors = FieldErrors::default();
        let email = errors.collect(Email::parse(&self.email).map_err(|error| vec![error]));
        let name = errors.collect(
            group::NAME.trimmed(&self.name, false).map_err(|bad| vec![bad_name(Field::Name, group::NAME, bad)]),
        );
        errors.collect(check_new_password(self.password.expose_secret()).map_err(|error| vec![error]));
        email.zip(name).filter(|_| errors.is_empty()).ok_or(errors)
    }
}

/// A person of a tenant has a role there; one without a tenant is a super user.
fn belongs(tenant: Option<&TenantAdmin>, role: Role) -> bool {
    tenant.is_some() == (role != Role::SuperUser)
}

impl Keyring {
    /// Makes a person who can sign in.
    ///
    /// # Errors
    /// When a field is wrong or the e-mail address is taken.
    pub async fn create_person(
        &self,
        tenant: Option<&TenantAdmin>,
        role: Role,
        new: NewPerson,
    ) -> Result<Person, Error> {
        if !belongs(tenant, role) {
            return Err(Error::Refused("A super user belongs to no tenant; everybody else belongs to one.".to_owned()));
        }
        let (email, name) = new.parse()?;
        // Before the transaction, which holds up everybody else who changes the tenant.
        let hash = self.passwords.hash(new.password).await;
        let chain = tenant.map_or(Chain::Platform, |admin| Chain::Tenant(admin.id()));
        let change = Change::begin(&self.database, chain, self.now()).await?;
        let person = Person { id: new_id(change.now()), email, name, role };
        insert(change, tenant, person, hash).await
    }

    /// The people of a tenant, or the super users.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn people(&self, tenant: Option<&TenantAdmin>) -> Result<Vec<Person>, Error> {
        Ok(store::people::list(&self.database, tenant.map(TenantAdmin::id)).await?)
    }

    /// Gives a person another password and ends their sessions. For the operator.
    ///
    /// # Errors
    /// When there is no such person or the password is too short.
    pub async fn set_password(&self, email: &str, password: SecretString) -> Result<(), Error> {
        let email = Email::parse(email).map_err(FieldErrors::from)?;
        check_new_password(password.expose_secret()).map_err(FieldErrors::from)?;
        let hash = self.passwords.hash(password).await;
        let found = store::people::tenant_by_email(&self.database, &email).await?;
        let (person, tenant) = found.ok_or(Error::NotFound(Thing::Person))?;
        let chain = tenant.as_ref().map_or(Chain::Platform, Chain::Tenant);
        let change = Change::begin(&self.database, chain, self.now()).await?;
        store::people::set_password(&change, &person, hash).await?;
        store::sessions::end_of_person(&change, &person).await?;
        let actor = Actor::operator();
        let event = Event { actor: &actor, action: "person.password_set", subject: person.as_str(), detail: json!({}) };
        Ok(change.commit(event).await?)
    }

    /// Makes the first super user, unless there is one.
    ///
    /// # Errors
    /// When a field is wrong or the database fails.
    pub async fn ensure_super_user(&self, new: NewPerson) -> Result<(), Error> {
        if store::people::any_super_user(self.database.connection()).await? {
            return Ok(());
        }
        let (email, name) = new.parse()?;
        let hash = self.passwords.hash(new.password).await;
        let change = Change::begin(&self.database, Chain::Platform, self.now()).await?;
        // Another server that started at the same time may have been first.
        if !store::people::any_super_user(change.on()).await? {
            let person = Person { id: new_id(change.now()), email, name, role: Role::SuperUser };
            insert(change, None, person, hash).await?;
        }
        Ok(())
    }
}

async fn insert(change: Change, tenant: Option<&TenantAdmin>, person: Person, hash: String) -> Result<Person, Error> {
    if !store::people::insert(&change, tenant.map(TenantAdmin::id), &person, hash).await? {
        let taken = FieldError::new(Field::Email, "taken", "Somebody signs in with this e-mail address already.");
        return Err(FieldErrors::from(taken).into());
    }
    let operator = Actor::operator();
    let actor = tenant.map_or(&operator, TenantAdmin::actor);
    let detail = json!({ "email": person.email, "name": person.name, "role": person.role });
    change.commit(Event { actor, action: "person.created", subject: person.id.as_str(), detail }).await?;
    Ok(person)
}
