//! `/api/v1/key`

use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::{caller::Identity, id::Id, property::PropertyScope, scope::Scope};
use keyring::{Owner, Quota};
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{Array, Object},
};

use super::super::{
    admission::{Admitted, AnyValidKey, RequiredPermission},
    body,
    schema::{list_of_texts, one_of_texts},
};

/// A key as it describes itself, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
pub struct KeyView<'a> {
    /// The id of the key. For legacy authentication, the id of the person.
    #[schema(example = "key_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    id: String,
    /// `person` for legacy authentication.
    #[schema(schema_with = caller_kind_schema)]
    kind: &'static str,
    #[schema(example = "Web shop")]
    name: Option<&'a str>,
    tenant: TenantView<'a>,
    /// The owner of a personal key.
    owner: Option<OwnerView<'a>>,
    /// The authorization group that grants the permissions.
    #[schema(example = "Orders")]
    group: Option<&'a str>,
    #[schema(schema_with = scopes_schema)]
    scopes: Vec<&'static str>,
    /// The permissions of the group, before the scopes narrow them.
    #[schema(example = json!(["orders:*", "invoices:read"]))]
    permissions: Vec<String>,
    all_properties: bool,
    /// The properties that the key can access, unless it can access all.
    properties: Vec<String>,
    expires_at: Option<DateTime<Utc>>,
    rate_limit: Option<RateLimitView>,
    /// Set if this secret is the one from before a rotation.
    rotation: Option<RotationView>,
}

fn caller_kind_schema() -> Object {
    one_of_texts(["tenant", "personal", "person"])
}

pub fn scopes_schema() -> Array {
    list_of_texts([Scope::Read, Scope::Write].map(Scope::as_str))
}

#[derive(Serialize, ToSchema)]
#[schema(as = Tenant)]
pub struct TenantView<'a> {
    #[schema(example = "ten_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    pub id: &'a str,
    #[schema(example = "acme")]
    pub slug: Option<&'a str>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Owner)]
pub struct OwnerView<'a> {
    id: &'a str,
    name: &'a str,
}

/// The remaining quota.
#[derive(Serialize, ToSchema)]
#[schema(as = RateLimit)]
pub struct RateLimitView {
    /// Calls in any 60 seconds.
    #[schema(example = 60)]
    limit: u16,
    #[schema(example = 59)]
    remaining: u16,
    /// The seconds until there are more.
    #[schema(example = 60)]
    reset_seconds: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Rotation)]
pub struct RotationView {
    /// The time at which this secret stops working. Use the new one before then.
    pub retires_at: DateTime<Utc>,
}

impl<'a> From<&'a Owner> for OwnerView<'a> {
    fn from(owner: &'a Owner) -> Self {
        Self { id: owner.id.as_str(), name: &owner.name }
    }
}

impl From<Quota> for RateLimitView {
    fn from(Quota { limit, remaining, reset_seconds }: Quota) -> Self {
        Self { limit, remaining, reset_seconds }
    }
}

/// Describe this key
///
/// Returns the identity and the access of the key that makes the call.
#[utoipa::path(
    get,
    path = "/api/v1/key",
    operation_id = "get_key",
    tag = "Key",
    extensions(("x-permission" = json!(AnyValidKey::PERMISSION))),
    responses((status = 200, description = "The key", body = KeyView)),
)]
pub async fn get(admitted: Admitted<AnyValidKey>) -> Response {
    let Admitted { caller, key, quota, .. } = admitted;
    let key = key.as_deref();
    let (all_properties, properties) = match key.map(|key| &key.reach) {
        Some(PropertyScope::Only(ids)) => (false, ids.iter().map(ToString::to_string).collect()),
        Some(PropertyScope::All) | None => (true, Vec::new()),
    };
    let scopes: Vec<Scope> = caller.grants.scopes.into();
    body::json_response(&KeyView {
        id: caller.identity.to_string(),
        kind: match (&caller.identity, key) {
            (Identity::Key(_), Some(key)) => key.kind.as_str(),
            _ => "person",
        },
        name: key.map(|key| &*key.name),
        tenant: TenantView { id: caller.tenant.as_str(), slug: key.map(|key| key.tenant.slug.as_str()) },
        owner: key.and_then(|key| key.owner.as_deref()).map(Into::into),
        group: key.and_then(|key| key.group.as_deref()),
        scopes: scopes.into_iter().map(Scope::as_str).collect(),
        permissions: caller.grants.permissions.iter().map(ToString::to_string).collect(),
        all_properties,
        properties,
        expires_at: key.and_then(|key| key.expires_at),
        rate_limit: quota.map(Into::into),
        rotation: key.and_then(|key| key.secret_retires_at).map(|retires_at| RotationView { retires_at }),
    })
}
