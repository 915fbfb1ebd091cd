//! People.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{
    group::Group,
    id::{GroupId, Id, PersonId, TenantId},
    key::GroupName,
    permission::Permission,
    person::{Email, Person, PersonState, Profile, Role},
    role_permissions::permissions_of_role,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, RelationDef, Select,
    sea_query::{Expr, ExprTrait, Query, SelectStatement, SimpleExpr},
};
use secrecy::{ExposeSecret, SecretString};

use super::{
    AuditedTransaction, Result, encrypted_columns,
    entity::{audit_event, authorization_group as group, person, person_group, session, tenant},
    groups, inserted, invitations, readable,
};

pub(super) fn person_from_row(row: &person::Model) -> Result<Person> {
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
    readable("a role", text, Role::parse(text).ok_or(()))
}

/// A person with what signing in has to know of them.
#[derive(Debug, Clone)]
pub struct Account {
    pub person: Person,
    pub tenant: Option<TenantId>,
    /// None until they have set a password.
    pub password_hash: Option<String>,
    /// Encrypted.
    totp_secret: Option<String>,
    pub is_deactivated: bool,
    /// The one that access tokens must carry.
    pub token_epoch: i64,
}

impl Account {
    pub fn has_second_factor(&self) -> bool {
        self.totp_secret.is_some()
    }

    pub fn state(&self) -> PersonState {
        match (self.is_deactivated, &self.password_hash) {
            (true, _) => PersonState::Deactivated,
            (false, None) => PersonState::Invited,
            (false, Some(_)) => PersonState::Active,
        }
    }
}

/// Stored in place of a password hash while there is no password.
const NO_PASSWORD: &str = "";

fn read_account(row: person::Model) -> Result<Account> {
    Ok(Account {
        person: person_from_row(&row)?,
        tenant: tenant_of(&row)?,
        totp_secret: row.totp_secret,
        is_deactivated: row.switched_off_at.is_some(),
        token_epoch: row.token_epoch,
        password_hash: Some(row.password_hash).filter(|hash| hash != NO_PASSWORD),
    })
}

/// Returns the accounts with an e-mail address: those of everyone, or the one within a tenant.
pub async fn accounts_by_email(
    connection: &impl ConnectionTrait,
    email: &Email,
    tenant_slug: Option<&str>,
) -> Result<Vec<Account>> {
    let found = person::Entity::find().filter(person::Column::Email.eq(email.as_str()));
    let found = match tenant_slug {
        Some(slug) => {
            let tenant = tenant::Entity::find().select_only().column(tenant::Column::Id);
            let tenant = tenant.filter(tenant::Column::Slug.eq(slug)).into_query();
            found.filter(person::Column::TenantId.in_subquery(tenant))
        }
        None => found,
    };
    found.all(connection).await?.into_iter().map(read_account).collect()
}

pub async fn account(connection: &impl ConnectionTrait, id: &PersonId) -> Result<Option<Account>> {
    let found = person::Entity::find_by_id(id.as_str()).one(connection).await?;
    found.map(read_account).transpose()
}

/// One of a tenant's people.
pub async fn account_in(
    connection: &impl ConnectionTrait,
    tenant: &TenantId,
    id: &PersonId,
) -> Result<Option<Account>> {
    let found = person::Entity::find_by_id(id.as_str()).filter(is_of_tenant(Some(tenant))).one(connection).await?;
    found.map(read_account).transpose()
}

/// The people of a tenant, or those who belong to none.
fn is_of_tenant(tenant: Option<&TenantId>) -> SimpleExpr {
    tenant.map_or_else(|| person::Column::TenantId.is_null(), |id| person::Column::TenantId.eq(id.as_str()))
}

/// The people of a tenant, or those who belong to none, each with all that is shown of them.
pub async fn list(connection: &impl ConnectionTrait, tenant: Option<&TenantId>) -> Result<Vec<Profile>> {
    profiles(connection, Condition::all().add(is_of_tenant(tenant))).await
}

/// One of the people of a tenant, or of those who belong to none.
pub async fn profile(
    connection: &impl ConnectionTrait,
    tenant: Option<&TenantId>,
    id: &PersonId,
) -> Result<Option<Profile>> {
    let one = Condition::all().add(is_of_tenant(tenant)).add(person::Column::Id.eq(id.as_str()));
    Ok(profiles(connection, one).await?.pop())
}

async fn profiles(connection: &impl ConnectionTrait, which: Condition) -> Result<Vec<Profile>> {
    let people = person::Entity::find().filter(which);
    let rows = people.clone().order_by_asc(person::Column::Email).all(connection).await?;
    let ids = people.select_only().column(person::Column::Id).into_query();
    let mut groups = groups_of_people(connection, ids.clone()).await?;
    let mut last_seen = last_seen(connection, ids).await?;
    let read = |row: person::Model| {
        let (groups, last_seen_at) = (groups.remove(&row.id).unwrap_or_default(), last_seen.remove(&row.id));
        let account = read_account(row)?;
        let (state, has_second_factor) = (account.state(), account.has_second_factor());
        Ok(Profile { person: account.person, state, groups, has_second_factor, last_seen_at })
    };
    rows.into_iter().map(read).collect()
}

#[derive(FromQueryResult)]
struct PersonGroup {
    person_id: String,
    id: String,
    name: String,
}

fn group_relation() -> RelationDef {
    person_group::Entity::belongs_to(group::Entity).from(person_group::Column::GroupId).to(group::Column::Id).into()
}

/// The groups of each of these people, by name.
async fn groups_of_people(
    connection: &impl ConnectionTrait,
    people: SelectStatement,
) -> Result<HashMap<String, Vec<GroupName>>> {
    let rows = person_group::Entity::find()
        .join(JoinType::InnerJoin, group_relation())
        .select_only()
        .column(person_group::Column::PersonId)
        .column(group::Column::Id)
        .column(group::Column::Name)
        .filter(person_group::Column::PersonId.in_subquery(people))
        .order_by_asc(group::Column::Name)
        .into_model::<PersonGroup>()
        .all(connection)
        .await?;
    let mut groups: HashMap<String, Vec<GroupName>> = HashMap::new();
    for PersonGroup { person_id, id, name } in rows {
        let group = GroupName { id: readable("a group's id", &id, GroupId::parse(&id))?, name };
        groups.entry(person_id).or_default().push(group);
    }
    Ok(groups)
}

#[derive(FromQueryResult)]
struct LastSeen {
    person_id: String,
    at: DateTime<Utc>,
}

/// Returns the last use of the console by each person, as far as their sessions are kept.
async fn last_seen(
    connection: &impl ConnectionTrait,
    people: SelectStatement,
) -> Result<HashMap<String, DateTime<Utc>>> {
    let rows = session::Entity::find()
        .select_only()
        .column(session::Column::PersonId)
        .column_as(session::Column::LastSeenAt.max(), "at")
        .filter(session::Column::PersonId.in_subquery(people))
        .group_by(session::Column::PersonId)
        .into_model::<LastSeen>()
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| (row.person_id, row.at)).collect())
}

/// Returns a person's permissions: all for an admin, those of their groups for a member.
pub async fn permissions(
    connection: &impl ConnectionTrait,
    tenant: &TenantId,
    id: &PersonId,
) -> Result<Vec<Permission>> {
    let Some(account) = account_in(connection, tenant, id).await? else { return Ok(Vec::new()) };
    Ok(permissions_of_role(account.person.role, granted(connection, tenant, id).await?))
}

/// Returns the permissions that a person's groups grant.
pub(super) async fn granted(
    connection: &impl ConnectionTrait,
    tenant: &TenantId,
    id: &PersonId,
) -> Result<Vec<Permission>> {
    let groups = groups_of(connection, tenant, id).await?;
    let mut permissions: Vec<Permission> = groups.into_iter().flat_map(|group| group.permissions).collect();
    permissions.sort();
    permissions.dedup();
    Ok(permissions)
}

/// The groups that a person is in, by name.
pub async fn groups_of(connection: &impl ConnectionTrait, tenant: &TenantId, id: &PersonId) -> Result<Vec<Group>> {
    let rows = group::Entity::find()
        .join(JoinType::InnerJoin, group_relation().rev())
        .filter(person_group::Column::PersonId.eq(id.as_str()))
        .filter(group::Column::TenantId.eq(tenant.as_str()))
        .order_by_asc(group::Column::Name)
        .all(connection)
        .await?;
    rows.iter().map(groups::group_from_row).collect()
}

pub async fn any_super_user(connection: &impl ConnectionTrait) -> Result<bool> {
    let super_users = person::Entity::find().filter(person::Column::Role.eq(Role::SuperUser.as_str()));
    Ok(super_users.count(connection).await? > 0)
}

/// The admins of a tenant who can sign in.
pub async fn admins(connection: &impl ConnectionTrait, tenant: &TenantId) -> Result<Vec<Person>> {
    load_by_name(connection, can_sign_in(Some(tenant), Role::TenantAdmin)).await
}

/// The super users who can sign in.
pub async fn super_users(connection: &impl ConnectionTrait) -> Result<Vec<Person>> {
    load_by_name(connection, can_sign_in(None, Role::SuperUser)).await
}

/// The super users who have an event in the tenant's audit log. The tenant learns of no others.
pub async fn super_users_who_acted_in(connection: &impl ConnectionTrait, tenant: &TenantId) -> Result<Vec<Person>> {
    let events = Query::select()
        .expr(Expr::val(1))
        .from(audit_event::Entity)
        .and_where(audit_event::Column::ChainId.eq(tenant.as_str()))
        .and_where(
            Expr::col((audit_event::Entity, audit_event::Column::Actor)).equals((person::Entity, person::Column::Id)),
        )
        .take();
    let acted =
        person::Entity::find().filter(person::Column::Role.eq(Role::SuperUser.as_str())).filter(Expr::exists(events));
    load_by_name(connection, acted).await
}

async fn load_by_name(connection: &impl ConnectionTrait, people: Select<person::Entity>) -> Result<Vec<Person>> {
    let rows = people.order_by_asc(person::Column::Name).all(connection).await?;
    rows.iter().map(person_from_row).collect()
}

fn can_sign_in(tenant: Option<&TenantId>, role: Role) -> Select<person::Entity> {
    person::Entity::find()
        .filter(is_of_tenant(tenant))
        .filter(person::Column::Role.eq(role.as_str()))
        .filter(person::Column::SwitchedOffAt.is_null())
        .filter(person::Column::PasswordHash.ne(NO_PASSWORD))
}

/// Returns true if a tenant has another admin who can sign in.
pub async fn has_other_admins(
    connection: &impl ConnectionTrait,
    tenant: &TenantId,
    without: &PersonId,
) -> Result<bool> {
    let others = can_sign_in(Some(tenant), Role::TenantAdmin).filter(person::Column::Id.ne(without.as_str()));
    Ok(others.count(connection).await? > 0)
}

/// False when the e-mail address is taken within the tenant, or among the super users.
pub async fn insert(
    change: &AuditedTransaction,
    tenant: Option<&TenantId>,
    person: &Person,
    password_hash: Option<String>,
) -> Result<bool> {
    let row = person::ActiveModel {
        id: Set(person.id.to_string()),
        tenant_id: Set(tenant.map(ToString::to_string)),
        email: Set(person.email.as_str().to_owned()),
        name: Set(person.name.clone()),
        role: Set(person.role.as_str().to_owned()),
        password_hash: Set(password_hash.unwrap_or_else(|| NO_PASSWORD.to_owned())),
        created_at: Set(change.now()),
        ..Default::default()
    };
    inserted(person::Entity::insert(row).exec_without_returning(change.on()).await)
}

/// Changes one person. The columns that `row` leaves unset stay as they are.
async fn update(change: &AuditedTransaction, id: &PersonId, row: person::ActiveModel) -> Result<()> {
    person::Entity::update_many().set(row).filter(person::Column::Id.eq(id.as_str())).exec(change.on()).await?;
    Ok(())
}

/// Gives a person another password. A link by which they could have set one ends with that.
pub async fn set_password(change: &AuditedTransaction, id: &PersonId, password_hash: String) -> Result<()> {
    invitations::delete_of_person(change, id).await?;
    update(change, id, person::ActiveModel { password_hash: Set(password_hash), ..Default::default() }).await
}

pub async fn set_name(change: &AuditedTransaction, id: &PersonId, name: &str) -> Result<()> {
    update(change, id, person::ActiveModel { name: Set(name.to_owned()), ..Default::default() }).await
}

pub async fn set_role(change: &AuditedTransaction, id: &PersonId, role: Role) -> Result<()> {
    update(change, id, person::ActiveModel { role: Set(role.as_str().to_owned()), ..Default::default() }).await
}

pub async fn set_deactivated(change: &AuditedTransaction, id: &PersonId, since: Option<DateTime<Utc>>) -> Result<()> {
    update(change, id, person::ActiveModel { switched_off_at: Set(since), ..Default::default() }).await
}

/// Ends the access tokens that a person was given so far.
pub(super) async fn end_tokens(change: &AuditedTransaction, id: &PersonId) -> Result<()> {
    person::Entity::update_many()
        .col_expr(person::Column::TokenEpoch, Expr::col(person::Column::TokenEpoch).add(1))
        .filter(person::Column::Id.eq(id.as_str()))
        .exec(change.on())
        .await?;
    Ok(())
}

/// Puts a person into these groups and no others.
pub async fn set_groups(change: &AuditedTransaction, id: &PersonId, groups: &[GroupName]) -> Result<()> {
    person_group::Entity::delete_many()
        .filter(person_group::Column::PersonId.eq(id.as_str()))
        .exec(change.on())
        .await?;
    if groups.is_empty() {
        return Ok(());
    }
    let row = |group: &GroupName| person_group::ActiveModel {
        person_id: Set(id.to_string()),
        group_id: Set(group.id.to_string()),
    };
    person_group::Entity::insert_many(groups.iter().map(row)).exec_without_returning(change.on()).await?;
    Ok(())
}

/// Decrypts what a person's authenticator app makes codes from.
pub fn totp_secret(change: &AuditedTransaction, account: &Account) -> Result<Option<SecretString>> {
    let Some(encrypted) = &account.totp_secret else { return Ok(None) };
    let id = account.person.id.as_str();
    encrypted_columns::decrypt(change.secret_keys(), encrypted_columns::totp_secret(id), encrypted).map(Some)
}

/// Sets or removes a person's second factor. `step` is that of the last used code.
pub async fn set_totp(
    change: &AuditedTransaction,
    id: &PersonId,
    secret: Option<&SecretString>,
    step: Option<i64>,
) -> Result<()> {
    let encrypt = |secret: &SecretString| {
        change.secret_keys().encrypt(encrypted_columns::totp_secret(id.as_str()), secret.expose_secret())
    };
    let row =
        person::ActiveModel { totp_secret: Set(secret.map(encrypt)), totp_last_step: Set(step), ..Default::default() };
    update(change, id, row).await
}

/// Notes that the code of a step was used. False when that one or a later one was before.
pub async fn consume_totp_step(change: &AuditedTransaction, id: &PersonId, step: i64) -> Result<bool> {
    let earlier =
        Condition::any().add(person::Column::TotpLastStep.is_null()).add(person::Column::TotpLastStep.lt(step));
    let consumed = person::Entity::update_many()
        .col_expr(person::Column::TotpLastStep, Expr::value(step))
        .filter(person::Column::Id.eq(id.as_str()))
        .filter(earlier)
        .exec(change.on())
        .await?;
    Ok(consumed.rows_affected == 1)
}

/// Locks a person's row until the end of the change, if the verified password is still theirs and they were not
/// deactivated concurrently.
pub async fn hold(change: &AuditedTransaction, id: &PersonId, password_hash: &str) -> Result<bool> {
    let held = person::Entity::update_many()
        .col_expr(person::Column::PasswordHash, Expr::value(password_hash))
        .filter(person::Column::Id.eq(id.as_str()))
        .filter(person::Column::PasswordHash.eq(password_hash))
        .filter(person::Column::SwitchedOffAt.is_null())
        .exec(change.on())
        .await?;
    Ok(held.rows_affected == 1)
}
