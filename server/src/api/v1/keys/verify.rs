//! `/api/v1/keys/verify`

use std::{borrow::Cow, net::IpAddr};

use axum::{
    extract::{Request, State},
    response::Response,
};
use chrono::{DateTime, Utc};
use domain::{
    id::{Id, PropertyId},
    origin::ParseOriginError,
    permission::Permission,
    property::PropertyScope,
    scope::Scopes,
    verdict::Verdict,
};
use keyring::{CachedKey, Quota};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use super::{
    super::{
        super::{
            Api,
            admission::{RequiredPermission, VerifyKeys, admit},
            body,
            call_record::CallRecord,
            input::{Body, InvalidInput},
        },
        key::{OwnerView, RateLimitView, RotationView, TenantView},
    },
    KeyQuery, KeyVerdict, decide,
};
use crate::problem::Problem;

/// A key that was presented to you, and what it must grant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VerifyRequest)]
pub struct VerifyRequest {
    /// The whole secret, as your client sent it.
    #[schema(format = Password, example = "lk_tk_…")]
    key: String,
    /// The permission that your client needs.
    #[schema(value_type = Option<String>, example = "orders:read")]
    permission: Option<Permission>,
    /// The id of the property with which.
    #[schema(value_type = Option<String>, example = "prp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    property: Option<PropertyId>,
    /// Your client's address. Without it, a key that is limited to addresses is refused.
    #[schema(value_type = Option<String>, example = "203.0.113.9")]
    ip: Option<IpAddr>,
    /// Your client's `Origin` header, if it sent one.
    #[schema(value_type = Option<String>, example = "https://shop.example.com")]
    origin: Option<SentOrigin>,
    /// The number of calls to charge to the key's rate limit. The default is 1; 0 charges none.
    #[serde(default)]
    #[schema(value_type = Option<u16>, minimum = 0, maximum = 1000, default = 1)]
    cost: Cost,
}

/// Any value that can be sent as an `Origin`. One that no allowlist can contain, such as `null` or one with another
/// scheme, matches none.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct SentOrigin(String);

#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "u64")]
struct Cost(u16);

const MAX_VERIFY_COST: u16 = 1_000;

impl Default for Cost {
    fn default() -> Self {
        Self(1)
    }
}

impl TryFrom<String> for SentOrigin {
    type Error = ParseOriginError;

    fn try_from(text: String) -> Result<Self, ParseOriginError> {
        if text == "null" || text.contains("://") { Ok(Self(text)) } else { Err(ParseOriginError::Scheme) }
    }
}

impl TryFrom<u64> for Cost {
    type Error = InvalidInput;

    fn try_from(cost: u64) -> Result<Self, InvalidInput> {
        const INVALID: InvalidInput =
            InvalidInput { code: "out_of_range", detail: "Send cost as a whole number from 0 to 1000." };
        u16::try_from(cost).ok().filter(|cost| *cost <= MAX_VERIFY_COST).map(Self).ok_or(INVALID)
    }
}

impl Body for VerifyRequest {}

impl From<VerifyRequest> for KeyQuery {
    fn from(request: VerifyRequest) -> Self {
        let VerifyRequest { key, permission, property, ip, origin, cost: Cost(cost) } = request;
        let address = ip.map(|ip| ip.to_canonical());
        Self { secret: key.into(), permission, property, address, origin: origin.map(|SentOrigin(text)| text), cost }
    }
}

/// Latchkey's answer about the key.
#[derive(Serialize, ToSchema)]
#[schema(as = Verification)]
pub struct VerificationView<'a> {
    meta: MetaView<'a>,
    data: VerdictView<'a>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Meta)]
struct MetaView<'a> {
    #[schema(example = "req_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    request_id: &'a str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Verdict)]
struct VerdictView<'a> {
    valid: bool,
    /// `VALID`, or the first reason why not.
    #[schema(value_type = String, example = "VALID")]
    code: Verdict,
    #[serde(flatten)]
    #[schema(value_type = RefusalView)]
    refusal: Option<RefusalView>,
    #[serde(flatten)]
    #[schema(value_type = VerifiedKeyView<'a>)]
    key: Option<VerifiedKeyView<'a>>,
}

/// Comes along when the key is not valid.
#[derive(Serialize, ToSchema)]
#[schema(as = VerdictRefusal)]
struct RefusalView {
    /// The status to answer your client with.
    #[schema(required = false, example = 403)]
    http_status: u16,
    /// An explanation for your client, with what to do next.
    #[schema(required = false)]
    message: Cow<'static, str>,
    /// The time to wait before a retry can succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    retry_after_seconds: Option<u64>,
}

/// Comes along when the key is one of your organization's.
#[derive(Serialize, ToSchema)]
#[schema(as = VerifiedKey)]
struct VerifiedKeyView<'a> {
    #[schema(required = false, example = "key_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    key_id: &'a str,
    #[schema(required = false, example = "PMS")]
    name: &'a str,
    /// `tenant` or `personal`.
    #[schema(required = false, example = "tenant")]
    kind: &'static str,
    #[schema(required = false)]
    tenant: TenantView<'a>,
    /// The owner of a personal key.
    #[schema(required = false)]
    owner: Option<OwnerView<'a>>,
    #[schema(required = false, example = "Orders")]
    group: Option<&'a str>,
    /// `read`, `write`, or both.
    #[schema(required = false, value_type = Vec<String>, example = json!(["read"]))]
    scopes: Scopes,
    /// The permissions of the group, or the owner's, before the scopes narrow them.
    #[serde(serialize_with = "serialize_as_text")]
    #[schema(required = false, value_type = Vec<String>, example = json!(["orders:*"]))]
    permissions: &'a [Permission],
    #[schema(required = false)]
    all_properties: bool,
    /// The properties that the key reaches, unless it reaches all.
    #[serde(serialize_with = "serialize_as_text")]
    #[schema(required = false, value_type = Vec<String>)]
    properties: &'a [PropertyId],
    #[schema(required = false)]
    expires_at: Option<DateTime<Utc>>,
    #[schema(required = false)]
    rate_limit: Option<RateLimitView>,
    /// Set when this secret is the one from before a rotation.
    #[schema(required = false)]
    rotation: Option<RotationView>,
}

/// Each as it is redact, without a copy of any.
fn serialize_as_text<T: std::fmt::Display, S: Serializer>(items: &&[T], serializer: S) -> Result<S::Ok, S::Error> {
    struct Written<'a, T>(&'a T);

    impl<T: std::fmt::Display> Serialize for Written<'_, T> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self.0)
        }
    }

    serializer.collect_seq(items.iter().map(Written))
}

impl<'a> VerifiedKeyView<'a> {
    fn of(key: &'a CachedKey, quota: Option<Quota>) -> Self {
        let (all_properties, properties) = match &key.reach {
            PropertyScope::All => (true, &[][..]),
            PropertyScope::Only(ids) => (false, ids.as_slice()),
        };
        Self {
            key_id: key.id.as_str(),
            name: &key.name,
            kind: key.kind.as_str(),
            tenant: TenantView { id: key.tenant.id.as_str(), slug: Some(&key.tenant.slug) },
            owner: key.owner.as_deref().map(Into::into),
            group: key.group.as_deref(),
            scopes: key.grants.scopes,
            permissions: &key.grants.permissions,
            all_properties,
            properties,
            expires_at: key.expires_at,
            rate_limit: quota.map(Into::into),
            rotation: key.secret_retires_at.map(|retires_at| RotationView { retires_at }),
        }
    }
}

impl<'a> VerdictView<'a> {
    fn of(key_verdict: &'a KeyVerdict, key_query: &KeyQuery) -> Self {
        let refusal = key_verdict.refusal.as_ref().map(|refusal| RefusalView {
            http_status: key_verdict.status(),
            message: key_query.message(refusal),
            retry_after_seconds: refusal.retry_after(),
        });
        Self {
            valid: refusal.is_none(),
            code: key_verdict.verdict,
            refusal,
            key: key_verdict.key.as_deref().map(|key| VerifiedKeyView::of(key, key_verdict.quota)),
        }
    }
}

/// Verify a key
///
/// Verifies a key that was presented to you, and whether it grants what your client wants. Keys of other organizations
/// are unknown here. Verification takes nothing from your own key's rate limit; `cost` is taken from the verified
/// key's.
#[utoipa::path(
    post,
    path = "/api/v1/keys/verify",
    operation_id = "verify_key",
    tag = "Key verification",
    extensions(("x-permission" = json!(VerifyKeys::PERMISSION))),
    request_body = VerifyRequest,
    responses((status = 200, description = "The verdict, valid or not", body = VerificationView)),
)]
pub async fn verify(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = body::json(&parts.headers, body).await;
    // The verifier is authenticated first, so that an unauthenticated client learns nothing from a body.
    let asking = admit::<VerifyKeys>(&parts, &api, None).await?;
    let key_query = KeyQuery::from(body::deserialize_json::<VerifyRequest>(bytes?)?);
    let key_verdict = decide(&api, &parts, &asking.caller, &key_query).await?;
    let data = VerdictView::of(&key_verdict, &key_query);
    let meta = MetaView { request_id: CallRecord::of(&parts.extensions).request_id().as_str() };
    Ok(body::json_response(&VerificationView { meta, data }))
}
