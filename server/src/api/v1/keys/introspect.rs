//! `/api/v1/keys/introspect` (RFC 7662)

use axum::{
    extract::{Request, State},
    response::Response,
};
use keyring::CachedKey;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::super::{
        Api,
        admission::{Admitted, RequiredPermission, VerifyKeys, admit},
        body, input,
    },
    KeyQuery, decide,
};
use crate::problem::{Code, Problem};

const FORM: &str = "application/x-www-form-urlencoded";

/// A key that was presented to you.
#[derive(Deserialize, ToSchema)]
#[schema(as = IntrospectRequest)]
pub struct IntrospectRequest {
    /// The whole secret, as your client sent it.
    #[schema(format = Password, example = "lk_tk_…")]
    token: String,
    /// Ignored.
    #[serde(rename = "token_type_hint")]
    _token_type_hint: Option<String>,
}

/// The introspected key: `active`, and nothing else if it is not.
#[derive(Serialize, ToSchema)]
#[schema(as = Introspection)]
pub struct IntrospectionView {
    active: bool,
    #[serde(flatten)]
    #[schema(value_type = ActiveKeyView)]
    key: Option<ActiveKeyView>,
}

/// Present if the key is valid.
#[derive(Serialize, ToSchema)]
#[schema(as = ActiveKey)]
struct ActiveKeyView {
    /// What the key may do, after its scopes, with spaces between. A wildcard for actions stands as `write` when the
    /// key has no more than the scope `write`: `orders:write`, `*:write`.
    #[schema(required = false, example = "orders:read invoices:read")]
    scope: String,
    /// The key's id.
    #[schema(required = false, example = "key_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    client_id: String,
    /// The organization's id.
    #[schema(required = false, example = "ten_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    sub: String,
    /// The time at which this secret expires, in seconds since 1970: with the key, or when a rotation retires it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    exp: Option<i64>,
    /// The time at which this secret was generated, in seconds since 1970.
    #[schema(required = false)]
    iat: i64,
    #[schema(required = false, example = "api_key")]
    token_type: &'static str,
}

impl From<&CachedKey> for ActiveKeyView {
    fn from(key: &CachedKey) -> Self {
        let permissions: Vec<String> = key.grants.listed().iter().map(ToString::to_string).collect();
        let ends = [key.expires_at, key.secret_retires_at].into_iter().flatten().min();
        Self {
            scope: permissions.join(" "),
            client_id: key.id.to_string(),
            sub: key.tenant.id.to_string(),
            exp: ends.map(|end| end.timestamp()),
            iat: key.secret_issued_at.timestamp(),
            token_type: "api_key",
        }
    }
}

/// Introspect a key
///
/// The same question in the form of RFC 7662, for software that speaks it. It says nothing of where the key is used
/// from, so a key that is limited to addresses or origins is not active here: verify it. Nothing is taken from any rate
/// limit.
#[utoipa::path(
    post,
    path = "/api/v1/keys/introspect",
    operation_id = "introspect_key",
    tag = "Key verification",
    extensions(("x-permission" = json!(VerifyKeys::PERMISSION))),
    request_body(content = IntrospectRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The state of the key", body = IntrospectionView)),
)]
pub async fn introspect(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = body::bytes(body).await;
    let asking: Admitted<VerifyKeys> = admit(&parts, &api, None).await?;
    let bytes = bytes?;
    if !body::is(&parts.headers, FORM) {
        return Err(Problem::new(
            Code::UnsupportedMediaType,
            format!("Send the token in a form body, with Content-Type: {FORM}."),
        ));
    }
    // Other parameters are ignored, as the standard asks.
    let IntrospectRequest { token, .. } = input::deserialize_form(&bytes)?;
    let key_query = KeyQuery::about(token.into());
    let key_verdict = decide(&api, &parts, &asking.caller, &key_query).await?;
    let good = key_verdict.key.as_deref().filter(|_| key_verdict.refusal.is_none());
    Ok(body::json_response(&IntrospectionView { active: good.is_some(), key: good.map(Into::into) }))
}

impl KeyQuery {
    fn about(secret: SecretString) -> Self {
        Self { secret, permission: None, property: None, address: None, origin: None, cost: 0 }
    }
}
