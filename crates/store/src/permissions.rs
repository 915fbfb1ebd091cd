//! The operator's own permissions.

use domain::{permission::Permission, permission_catalog::CatalogPermission};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, QueryOrder};

use super::{AuditedTransaction, Result, entity::permission, readable};

/// The operator's permissions, the oldest first.
pub async fn list(connection: &impl ConnectionTrait) -> Result<Vec<CatalogPermission>> {
    let rows = permission::Entity::find()
        .order_by_asc(permission::Column::CreatedAt)
        .order_by_asc(permission::Column::Permission)
        .all(connection)
        .await?;
    rows.into_iter().map(permission_from_row).collect()
}

fn permission_from_row(row: permission::Model) -> Result<CatalogPermission> {
    let permission = readable("a permission", &row.permission, Permission::parse(&row.permission))?;
    Ok(CatalogPermission { permission, name: row.name, description: row.description })
}

pub async fn insert(change: &AuditedTransaction, known: &CatalogPermission) -> Result<()> {
    let row = permission::ActiveModel {
        permission: Set(known.permission.to_string()),
        name: Set(known.name.clone()),
        description: Set(known.description.clone()),
        created_at: Set(change.now()),
    };
    permission::Entity::insert(row).exec_without_returning(change.on()).await?;
    Ok(())
}

/// Deletes a permission, and returns whether it was there.
pub async fn delete(change: &AuditedTransaction, known: &Permission) -> Result<bool> {
    let deleted = permission::Entity::delete_by_id(known.to_string()).exec(change.on()).await?;
    Ok(deleted.rows_affected > 0)
}
