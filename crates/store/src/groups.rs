//! Authorization groups.

use std::collections::HashMap;

use domain::{
    group::{Group, GroupType},
    id::{GroupId, Id, TenantId},
    permission::Permission,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder,
    QuerySelect, RelationDef,
    sea_query::{CaseStatement, Expr, ExprTrait, Func, SimpleExpr},
};

use super::{
    AuditedTransaction, Result,
    entity::{api_key, authorization_group as group, person, person_group},
    from_lines, readable, to_lines,
};
use crate::model::{GroupOverview, GroupUse, TenantGroup};

/// The maximum number of people listed by name.
const MAX_NAMED_PEOPLE: u64 = 50;

fn of_tenant(tenant: &TenantId) -> Condition {
    Condition::all().add(group::Column::TenantId.eq(tenant.as_str()))
}

pub(super) fn group_from_row(row: &group::Model) -> Result<Group> {
    let types = [GroupType::TenantApiKey, GroupType::Person];
    let group_type = types.into_iter().find(|group_type| group_type.as_str() == row.group_type);
    Ok(Group {
        id: readable("a group's id", &row.id, GroupId::parse(&row.id))?,
        name: row.name.clone(),
        group_type: readable("a group's type", &row.group_type, group_type.ok_or(()))?,
        permissions: from_lines("a permission", &row.permissions, Permission::parse)?,
    })
}

fn read_with_version(row: &group::Model) -> Result<TenantGroup> {
    Ok(TenantGroup { group: group_from_row(row)?, version: row.version })
}

async fn rows(connection: &impl ConnectionTrait, tenant: &TenantId) -> Result<Vec<group::Model>> {
    let found = group::Entity::find().filter(of_tenant(tenant)).order_by_asc(group::Column::Name);
    Ok(found.all(connection).await?)
}

pub async fn list(connection: &impl ConnectionTrait, tenant: &TenantId) -> Result<Vec<Group>> {
    rows(connection, tenant).await?.iter().map(group_from_row).collect()
}

pub async fn find_group(
    connection: &impl ConnectionTrait,
    tenant: &TenantId,
    id: &GroupId,
) -> Result<Option<TenantGroup>> {
    let found = group::Entity::find_by_id(id.as_str()).filter(of_tenant(tenant)).one(connection).await?;
    found.as_ref().map(read_with_version).transpose()
}

/// Returns the group that has a name already.
pub async fn named(change: &AuditedTransaction, tenant: &TenantId, name: &str) -> Result<Option<Group>> {
    let found = group::Entity::find().filter(of_tenant(tenant).add(group::Column::Name.eq(name)));
    Ok(found.one(change.on()).await?.as_ref().map(read_with_version).transpose()?.map(|found| found.group))
}

/// Returns the tenant of a group, for the operator, who names groups by id alone.
pub async fn tenant_of(connection: &impl ConnectionTrait, id: &GroupId) -> Result<Option<TenantId>> {
    let row = group::Entity::find_by_id(id.as_str()).one(connection).await?;
    row.map(|row| readable("a tenant's id", &row.tenant_id, TenantId::parse(&row.tenant_id))).transpose()
}

/// Its name has to be free.
pub async fn insert(change: &AuditedTransaction, tenant: &TenantId, group: &Group) -> Result<()> {
    let row = group::ActiveModel {
        id: Set(group.id.to_string()),
        tenant_id: Set(tenant.to_string()),
        name: Set(group.name.clone()),
        group_type: Set(group.group_type.as_str().to_owned()),
        permissions: Set(to_lines(&group.permissions)),
        created_at: Set(change.now()),
        version: Set(1),
    };
    group::Entity::insert(row).exec_without_returning(change.on()).await?;
    Ok(())
}

/// Gives a group its name, permissions and version. The name has to be free.
pub async fn update(change: &AuditedTransaction, tenant: &TenantId, after: &TenantGroup) -> Result<()> {
    let TenantGroup { group: Group { id, name, group_type: _, permissions }, version } = after;
    let row = group::ActiveModel {
        name: Set(name.clone()),
        permissions: Set(to_lines(permissions)),
        version: Set(*version),
        ..Default::default()
    };
    group::Entity::update_many().set(row).filter(one(tenant, id)).exec(change.on()).await?;
    Ok(())
}

pub async fn delete(change: &AuditedTransaction, tenant: &TenantId, id: &GroupId) -> Result<()> {
    group::Entity::delete_many().filter(one(tenant, id)).exec(change.on()).await?;
    Ok(())
}

fn one(tenant: &TenantId, id: &GroupId) -> Condition {
    of_tenant(tenant).add(group::Column::Id.eq(id.as_str()))
}

/// All of the tenant's groups, each with how many use it.
pub async fn overviews(connection: &impl ConnectionTrait, tenant: &TenantId) -> Result<Vec<GroupOverview>> {
    let uses = uses(connection, of_tenant(tenant)).await?;
    let overview = |row: &group::Model| -> Result<GroupOverview> {
        Ok(GroupOverview { group: read_with_version(row)?, used: uses.get(&row.id).copied().unwrap_or_default() })
    };
    rows(connection, tenant).await?.iter().map(overview).collect()
}

/// Returns the number of users of one group.
pub async fn used(connection: &impl ConnectionTrait, tenant: &TenantId, id: &GroupId) -> Result<GroupUse> {
    Ok(uses(connection, one(tenant, id)).await?.remove(id.as_str()).unwrap_or_default())
}

#[derive(FromQueryResult)]
struct KeysRow {
    group_id: String,
    active: i64,
    revoked: i64,
}

#[derive(FromQueryResult)]
struct PeopleRow {
    group_id: String,
    people: i64,
}

/// The number of uses of each group, by id; unused groups are left out.
async fn uses(connection: &impl ConnectionTrait, groups: Condition) -> Result<HashMap<String, GroupUse>> {
    let revoked_at = || Expr::col((api_key::Entity, api_key::Column::RevokedAt));
    let keys: Vec<KeysRow> = api_key::Entity::find()
        .select_only()
        .column(api_key::Column::GroupId)
        .column_as(count_if(revoked_at().is_null()), "active")
        .column_as(count_if(revoked_at().is_not_null()), "revoked")
        .join(JoinType::InnerJoin, group_of_key())
        .filter(groups.clone())
        .group_by(api_key::Column::GroupId)
        .into_model()
        .all(connection)
        .await?;
    let people: Vec<PeopleRow> = person_group::Entity::find()
        .select_only()
        .column(person_group::Column::GroupId)
        .column_as(person_group::Column::PersonId.count(), "people")
        .join(JoinType::InnerJoin, group_of_person())
        .filter(groups)
        .group_by(person_group::Column::GroupId)
        .into_model()
        .all(connection)
        .await?;
    let mut uses: HashMap<String, GroupUse> = HashMap::new();
    for KeysRow { group_id, active, revoked } in keys {
        let used = uses.entry(group_id).or_default();
        (used.active_keys, used.revoked_keys) = (active.unsigned_abs(), revoked.unsigned_abs());
    }
    for PeopleRow { group_id, people } in people {
        uses.entry(group_id).or_default().people = people.unsigned_abs();
    }
    Ok(uses)
}

/// Counts the rows that meet a condition.
fn count_if(condition: SimpleExpr) -> SimpleExpr {
    Func::count(CaseStatement::new().case(condition, 1)).into()
}

fn group_of_key() -> RelationDef {
    api_key::Entity::belongs_to(group::Entity).from(api_key::Column::GroupId).to(group::Column::Id).into()
}

fn group_of_person() -> RelationDef {
    person_group::Entity::belongs_to(group::Entity).from(person_group::Column::GroupId).to(group::Column::Id).into()
}

fn member() -> RelationDef {
    person_group::Entity::belongs_to(person::Entity).from(person_group::Column::PersonId).to(person::Column::Id).into()
}

#[derive(FromQueryResult)]
struct NameRow {
    name: String,
}

/// The names of the first people in a group.
pub async fn people(connection: &impl ConnectionTrait, tenant: &TenantId, id: &GroupId) -> Result<Vec<String>> {
    let rows: Vec<NameRow> = person_group::Entity::find()
        .select_only()
        .column(person::Column::Name)
        .join(JoinType::InnerJoin, member())
        .join(JoinType::InnerJoin, group_of_person())
        .filter(one(tenant, id))
        .order_by_asc(person::Column::Name)
        .limit(MAX_NAMED_PEOPLE)
        .into_model()
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}
