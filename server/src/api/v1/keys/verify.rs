//! `/api/v1/keys/verify`

use std::{borrow::Cow, fmt, ops::Deref};

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use chrono::{DateTime, Utc};
use domain::{
    id::{Id, PropertyId},
    permission::Permission,
    property::PropertyScope,
    scope::Scopes,
    secret::KeyKind,
    verdict::Verdict,
};
use http_input::client_address::parse_address;
use keyring::{CachedKey, Quota};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::{
    ToSchema,
    openapi::{Object, ObjectBuilder, Type},
};

use super::{
    super::{
        super::schema::one_of_texts,
        super::{
            Api,
            admission::{RequiredPermission, VerifyKeys, admit},
            body,
            call_record::{CallRecord, Verified},
            input::{Body, InvalidInput},
        },
        key::{OwnerView, RateLimitView, RotationView, TenantView, scopes_schema},
    },
    KeyQuery, KeyVerdict, decide,
};
use crate::problem::Problem;

/// A key that your client presented, and the access that it must grant.
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
    /// The id of the property that your client's request is about.
    #[schema(example = "prp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    property: Option<String>,
    /// Your client's address, with or without a port. Without it, a key with an IP allowlist is refused.
    #[schema(example = "203.0.113.9")]
    ip: Option<String>,
    /// Your client's `Origin` header, if it sent one.
    #[schema(example = "https://shop.example.com")]
    origin: Option<String>,
    /// The number of calls to charge to the key's rate limit. The default is 1; 0 charges none.
    #[serde(default)]
    #[schema(value_type = Option<u16>, minimum = 0, maximum = 1000)]
    cost: Cost,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "u64")]
struct Cost(u16);

const MAX_VERIFY_COST: u16 = 1_000;

impl Default for Cost {
    fn default() -> Self {
        Self(1)
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

/// A malformed value of the client. The verifier made no mistake, so it gets a verdict.
pub enum MalformedField {
    Property,
    Address,
    Origin,
}

impl MalformedField {
    fn message(&self) -> &'static str {
        match self {
            Self::Property => "The property in the request is not an id. Send the id of a property: prp_…",
            Self::Address => {
                "The client's address is not an IP address. Send the address that the connection came from."
            }
            Self::Origin => {
                "The Origin header of the request is malformed. Send scheme and host: https://shop.example.com"
            }
        }
    }
}

impl TryFrom<VerifyRequest> for KeyQuery {
    type Error = MalformedField;

    fn try_from(request: VerifyRequest) -> Result<Self, MalformedField> {
        let VerifyRequest { key, permission, property, ip, origin, cost: Cost(cost) } = request;
        let property = property.map(|id| PropertyId::parse(&id)).transpose().map_err(|_| MalformedField::Property)?;
        let address = ip.map(|text| parse_address(&text).ok_or(MalformedField::Address)).transpose()?;
        // An origin that no allowlist can contain, such as `null` or one with another scheme, matches none.
        if origin.as_ref().is_some_and(|text| text != "null" && !text.contains("://")) {
            return Err(MalformedField::Origin);
        }
        Ok(Self { secret: key.into(), permission, property, address, origin, cost })
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
    #[schema(schema_with = verdict_schema)]
    code: Verdict,
    #[serde(flatten)]
    #[schema(value_type = RefusalView)]
    refusal: Option<RefusalView>,
    #[serde(flatten)]
    #[schema(value_type = VerifiedKeyView<'a>)]
    key: Option<VerifiedKeyView<'a>>,
}

fn verdict_schema() -> Object {
    one_of_texts(Verdict::ALL.map(Verdict::as_str))
}

fn kind_schema() -> Object {
    one_of_texts([KeyKind::Tenant, KeyKind::Personal].map(KeyKind::as_str))
}

fn client_status_schema() -> Object {
    ObjectBuilder::new().schema_type(Type::Integer).enum_values(Some([400, 401, 403, 429])).build()
}

/// Present if the key is not valid.
#[derive(Serialize, ToSchema)]
#[schema(as = VerdictRefusal)]
struct RefusalView {
    /// The status to answer your client with.
    #[schema(required = false, schema_with = client_status_schema)]
    http_status: u16,
    /// An explanation for your client, with what to do next.
    #[schema(required = false)]
    message: Cow<'static, str>,
    /// The time to wait before a retry can succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    retry_after_seconds: Option<u64>,
}

/// Present if the key belongs to your organization.
#[derive(Serialize, ToSchema)]
#[schema(as = VerifiedKey)]
struct VerifiedKeyView<'a> {
    #[schema(required = false, example = "key_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    key_id: &'a str,
    #[schema(required = false, example = "PMS")]
    name: &'a str,
    #[schema(required = false, schema_with = kind_schema)]
    kind: &'static str,
    #[schema(required = false)]
    tenant: TenantView<'a>,
    /// The owner of a personal key.
    #[schema(required = false)]
    owner: Option<OwnerView<'a>>,
    #[schema(required = false, example = "Orders")]
    group: Option<&'a str>,
    #[schema(required = false, schema_with = scopes_schema)]
    scopes: Scopes,
    /// The permissions of the group, or the owner's, before the scopes narrow them.
    #[serde(serialize_with = "serialize_as_text")]
    #[schema(required = false, value_type = Vec<String>, example = json!(["orders:*"]))]
    permissions: &'a [Permission],
    /// The part of `permissions` that the scopes leave.
    #[serde(serialize_with = "serialize_as_text")]
    #[schema(required = false, value_type = Vec<String>, example = json!(["orders:read"]))]
    effective_permissions: Cow<'a, [Permission]>,
    #[schema(required = false)]
    all_properties: bool,
    /// The properties that the key can access, unless it can access all.
    #[serde(serialize_with = "serialize_as_text")]
    #[schema(required = false, value_type = Vec<String>)]
    properties: &'a [PropertyId],
    #[schema(required = false)]
    expires_at: Option<DateTime<Utc>>,
    #[schema(required = false)]
    rate_limit: Option<RateLimitView>,
    /// Set if this secret is the one from before a rotation.
    #[schema(required = false)]
    rotation: Option<RotationView>,
}

/// Serializes items by their text, without copying any.
fn serialize_as_text<L, T, S>(items: &L, serializer: S) -> Result<S::Ok, S::Error>
where
    L: Deref<Target = [T]>,
    T: fmt::Display,
    S: Serializer,
{
    struct Written<'a, T>(&'a T);

    impl<T: fmt::Display> Serialize for Written<'_, T> {
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
            effective_permissions: key.grants.effective(),
            all_properties,
            properties,
            expires_at: key.expires_at,
            rate_limit: quota.map(Into::into),
            rotation: key.secret_retires_at.map(|retires_at| RotationView { retires_at }),
        }
    }
}

impl<'a> VerdictView<'a> {
    fn invalid_request(field: &MalformedField) -> Self {
        let refusal = RefusalView {
            http_status: StatusCode::BAD_REQUEST.as_u16(),
            message: field.message().into(),
            retry_after_seconds: None,
        };
        Self { valid: false, code: Verdict::InvalidRequest, refusal: Some(refusal), key: None }
    }

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
/// Verifies a key that your client presented, and whether it grants the access that the request needs. Keys of other
/// organizations are unknown here. Verification costs nothing of your own key's rate limit; `cost` is charged to the
/// verified key's.
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
    let request = body::deserialize_json::<VerifyRequest>(bytes?)?;
    let call_record = CallRecord::of(&parts.extensions);
    let meta = MetaView { request_id: call_record.request_id().as_str() };
    let key_query = match KeyQuery::try_from(request) {
        Ok(key_query) => key_query,
        Err(field) => {
            api.metrics.count_verdict(Verdict::InvalidRequest);
            call_record.note_verified(Verified { key: None, verdict: Verdict::InvalidRequest });
            return Ok(body::json_response(&VerificationView { meta, data: VerdictView::invalid_request(&field) }));
        }
    };
    let key_verdict = decide(&api, &parts, &asking.caller, &key_query).await?;
    let data = VerdictView::of(&key_verdict, &key_query);
    Ok(body::json_response(&VerificationView { meta, data }))
}
