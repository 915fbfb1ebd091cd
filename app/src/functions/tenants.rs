//! What super users do about tenants.

use domain::id::TenantId;
use leptos::{prelude::*, server_fn::codec::Json};

use crate::error::ConsoleError;

#[cfg(feature = "ssr")]
use crate::session;

/// Makes a tenant and answers the link by which its first admin sets a password, this once.
#[server(prefix = "/console", endpoint = "create_tenant", input = Json)]
pub async fn create_tenant(
    name: String,
    slug: String,
    time_zone: String,
    key_limit: String,
    admin_name: String,
    email: String,
) -> Result<String, ConsoleError> {
    let (console, super_user) = session::super_user().await?;
    let key_limit = Some(keyring::typed_key_limit(&key_limit));
    let new = keyring::NewTenant { slug, name, key_limit, time_zone: Some(time_zone) };
    let role = keyring::NewRole { role: domain::person::Role::TenantAdmin.as_str().to_owned(), groups: Vec::new() };
    let admin = keyring::NewInvitation { email, name: admin_name, role };
    let made = console.keyring.create_tenant_with_admin(&super_user, new, &admin).await;
    session::map_outcome(made).map(|(_, invitation)| session::link_once(&console, &invitation))
}

/// Changes a tenant's name, limit and time zone.
#[server(prefix = "/console", endpoint = "change_tenant", input = Json)]
pub async fn change_tenant(
    id: TenantId,
    name: String,
    time_zone: String,
    key_limit: String,
) -> Result<(), ConsoleError> {
    let (console, super_user) = session::super_user().await?;
    let key_limit = Some(keyring::typed_key_limit(&key_limit));
    let wanted = keyring::TenantChange { name: Some(name), key_limit, time_zone: Some(time_zone), api_keys: None };
    session::map_outcome(console.keyring.change_tenant(&super_user, &id, wanted).await).map(drop)
}

/// Ends a tenant's subscription to API keys, and with it every key's use.
#[server(prefix = "/console", endpoint = "stop_subscription", input = Json)]
pub async fn stop_subscription(id: TenantId) -> Result<(), ConsoleError> {
    session::subscribe(id, false).await
}

/// Takes a tenant's subscription to API keys up again.
#[server(prefix = "/console", endpoint = "resume_subscription", input = Json)]
pub async fn resume_subscription(id: TenantId) -> Result<(), ConsoleError> {
    session::subscribe(id, true).await
}

/// Takes a super user into a tenant.
#[server(prefix = "/console", endpoint = "enter_tenant", input = Json)]
pub async fn enter_tenant(id: TenantId) -> Result<(), ConsoleError> {
    let (console, signed_in) = session::somebody().await?;
    session::map_outcome(console.keyring.enter_tenant(&signed_in, &id).await).map(drop)
}

/// Takes a super user out of the tenant that they are in.
#[server(prefix = "/console", endpoint = "leave_tenant", input = Json)]
pub async fn leave_tenant() -> Result<(), ConsoleError> {
    let (console, signed_in) = session::somebody().await?;
    session::map_outcome(console.keyring.leave_tenant(&signed_in).await)
}
