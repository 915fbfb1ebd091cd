//! People.

use domain::{
    id::{Id, PersonId, TenantId},
    person::{Email, Person, Role},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    sea_query::Expr,
};

use super::{Change, Database, Result, entity::person, inserted, readable};

pub(super) fn read(row: &person::Model) -> Result<Person> {
    Ok(Person {
        id: readable("a person's id", &row.id, PersonId::parse(&row.id))?,
        email: readable("an e-mail address", &row.email, Email::parse(&row.email))?,
        name: row.name.clone(),
        role: role(&row.role)?,
    })
}

pub(super) fn tenant_of(row: &person::Model) -> Result<Option<TenantId>> {
    row.tenant_id.as_deref().map(|id| readable("a tenant's id", id, TenantId::parse(id))).transpose()
}

pub(super) fn role(text: &str) -> Result<Role> {
    let known = [Role::SuperUser, Role::TenantAdmin, Role::Member].into_iter().find(|role| role.as_str() == text);
    readable("a role", text, known.ok_or(()))
}

/// A person with what signing in has to know of them.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) person: Person,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) password_hash: String,
    pub(crate) has_second_factor: bool,
    pub(crate) is_switched_off: bool,
}

fn read_account(row: person::Model) -> Result<Account> {
    Ok(Account {
        person: read(&row)?,
        tenant: tenant_of(&row)?,
        has_second_factor: row.totp_secret.is_some(),
        is_switched_off: row.switched_off_at.is_some(),
        password_hash: row.password_hash,
    })
}

/// By the e-mail address that a person signs in with.
pub(crate) async fn account_by_email(database: &Database, email: &Email) -> Result<Option<Account>> {
    let found =
        person::Entity::find().filter(person::Column::Email.eq(email.as_str())).one(database.connection()).await?;
    found.map(read_account).transpose()
}

pub(crate) async fn account(database: &Database, id: &PersonId) -> Result<Option<Account>> {
    let found = person::Entity::find_by_id(id.as_str()).one(database.connection()).await?;
    found.map(read_account).transpose()
}

/// The tenant of a person, to know whose change it is.
pub(crate) async fn tenant_by_email(
    database: &Database,
    email: &Email,
) -> Result<Option<(PersonId, Option<TenantId>)>> {
    let found =
        person::Entity::find().filter(person::Column::Email.eq(email.as_str())).one(database.connection()).await?;
    found.map(|row| Ok((read(&row)?.id, tenant_of(&row)?))).transpose()
}

/// The people of a tenant, or those who belong to none.
pub(crate) async fn list(database: &Database, tenant: Option<&TenantId>) -> Result<Vec<Person>> {
    let of_tenant =
        tenant.map_or_else(|| person::Column::TenantId.is_null(), |id| person::Column::TenantId.eq(id.as_str()));
    let rows =
        person::Entity::find().filter(of_tenant).order_by_asc(person::Column::Email).all(database.connection()).await?;
    rows.iter().map(read).collect()
}

pub(crate) async fn any_super_user(connection: &impl ConnectionTrait) -> Result<bool> {
    let super_users = person::Entity::find().filter(person::Column::Role.eq(Role::SuperUser.as_str()));
    Ok(super_users.count(connection).await? > 0)
}

/// False when the e-mail address is taken, by whichever tenant.
pub(crate) async fn insert(
    change: &Change,
    tenant: Option<&TenantId>,
    person: &Person,
    password_hash: String,
) -> Result<bool> {
    let row = person::ActiveModel {
        id: Set(person.id.to_string()),
        tenant_id: Set(tenant.map(ToString::to_string)),
        email: Set(person.email.as_str().to_owned()),
        name: Set(person.name.clone()),
        role: Set(person.role.as_str().to_owned()),
        password_hash: Set(password_hash),
        created_at: Set(change.now()),
        ..Default::default()
    };
    inserted(person::Entity::insert(row).exec_without_returning(change.on()).await)
}

pub(crate) async fn set_password(change: &Change, id: &PersonId, password_hash: String) -> Result<()> {
    person::Entity::update_many()
        .col_expr(person::Column::PasswordHash, Expr::value(password_hash))
        .filter(person::Column::Id.eq(id.as_str()))
        .exec(change.on())
        .await?;
    Ok(())
}
