//! Properties, which the engine keeps.

use domain::id::{Id, PropertyId, TenantId};
use sea_orm::{
    ConnectionTrait, ExprTrait,
    sea_query::{Expr, LockType, Query},
};

use super::{Result, WriteTransaction};

/// Locks a property until the end of the transaction. Returns false if the tenant has no such property.
pub(crate) async fn lock(transaction: &WriteTransaction, tenant: &TenantId, property: &PropertyId) -> Result<bool> {
    let select = Query::select()
        .column("id")
        .from("property")
        .and_where(Expr::col("tenant_id").eq(tenant.as_str()))
        .and_where(Expr::col("id").eq(property.as_str()))
        // A weaker lock than `FOR UPDATE`, so that inserts that reference the property do not wait.
        .lock(LockType::NoKeyUpdate)
        .take();
    Ok(transaction.on().query_one(&select).await?.is_some())
}
