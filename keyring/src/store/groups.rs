//! Authorization groups.

use domain::{
    group::{Group, GroupType},
    id::{GroupId, Id, TenantId},
    permission::Permission,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{Change, Result, entity::authorization_group as group, from_lines, inserted, readable, to_lines};

pub(super) fn read(row: &group::Model) -> Result<Group> {
    let types = [GroupType::TenantApiKey, GroupType::Person];
    let group_type = types.into_iter().find(|group_type| group_type.as_str() == row.group_type);
    Ok(Group {
        id: readable("a group's id", &row.id, GroupId::parse(&row.id))?,
        name: row.name.clone(),
        group_type: readable("a group's type", &row.group_type, group_type.ok_or(()))?,
        permissions: from_lines("a permission", &row.permissions, Permission::parse)?,
    })
}

pub(crate) async fn list(connection: &impl ConnectionTrait, tenant: &TenantId) -> Result<Vec<Group>> {
    let rows = group::Entity::find()
        .filter(group::Column::TenantId.eq(tenant.as_str()))
        .order_by_asc(group::Column::Name)
        .all(connection)
        .await?;
    rows.iter().map(read).collect()
}

/// False when the tenant has a group of this name.
pub(crate) async fn insert(change: &Change, tenant: &TenantId, group: &Group) -> Result<bool> {
    let row = group::ActiveModel {
        id: Set(group.id.to_string()),
        tenant_id: Set(tenant.to_string()),
        name: Set(group.name.clone()),
        group_type: Set(group.group_type.as_str().to_owned()),
        permissions: Set(to_lines(&group.permissions)),
        created_at: Set(change.now()),
        ..Default::default()
    };
    inserted(group::Entity::insert(row).exec_without_returning(change.on()).await)
}
