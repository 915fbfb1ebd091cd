//! `/api/v1/keys/introspect` (RFC 7662), and the metadata that leads to it (RFC 8414)

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, WWW_AUTHENTICATE},
    },
    response::Response,
};
use domain::{id::Id, permission::Permission};
use http_input::credential::{Conflict, PresentedCredential, find_credential};
use keyring::CachedKey;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::super::{
        Api,
        admission::{Admitted, RequiredPermission, VerifyKeys, admit_credential, unavailable},
        body, input,
    },
    KeyQuery, decide,
};
use crate::problem::{Code, Problem};

const INTROSPECT_ROUTE: &str = "/api/v1/keys/introspect";

/// The path of the authorization server metadata.
pub const METADATA_ROUTE: &str = "/.well-known/oauth-authorization-server";

/// The name of the scheme in the OpenAPI document.
pub const BASIC_SCHEME: &str = "client_secret_basic";

const FORM: &str = "application/x-www-form-urlencoded";

/// A key that your client presented.
#[derive(Deserialize, ToSchema)]
#[schema(as = IntrospectRequest)]
pub struct IntrospectRequest {
    /// The whole secret, as your client sent it.
    #[schema(format = Password, example = "lk_tk_…")]
    token: String,
    /// Ignored.
    #[serde(rename = "token_type_hint")]
    _token_type_hint: Option<String>,
    /// The id of your own key, or any text. For clients that authenticate with `client_secret_post`.
    #[serde(rename = "client_id")]
    _client_id: Option<String>,
    /// The secret of your own key, instead of a header.
    #[serde(rename = "client_secret")]
    #[schema(format = Password)]
    _client_secret: Option<String>,
}

/// The introspected key: `active`, and nothing else if it is not.
#[derive(Serialize, ToSchema)]
#[schema(as = Introspection)]
pub struct IntrospectionView<'a> {
    active: bool,
    #[serde(flatten)]
    #[schema(value_type = ActiveKeyView<'a>)]
    key: Option<ActiveKeyView<'a>>,
}

/// Present if the key is valid.
#[derive(Serialize, ToSchema)]
#[schema(as = ActiveKey)]
struct ActiveKeyView<'a> {
    /// The effective permissions, separated by spaces. Wildcards stand for the permissions that the catalog and the
    /// organization's groups name.
    #[schema(required = false, example = "orders:read invoices:read")]
    scope: String,
    /// The id of the key.
    #[schema(required = false, example = "key_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    client_id: &'a str,
    /// The id of a personal key's owner, or else of the organization.
    #[schema(required = false, example = "ten_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    sub: &'a str,
    /// The name of a personal key's owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    username: Option<&'a str>,
    /// The URL of this installation.
    #[schema(required = false, example = "https://keys.example.com")]
    iss: &'a str,
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

impl<'a> ActiveKeyView<'a> {
    fn new(key: &'a CachedKey, scope: String, issuer: &'a str) -> Self {
        let ends = [key.expires_at, key.secret_retires_at].into_iter().flatten().min();
        let owner = key.owner.as_deref();
        Self {
            scope,
            client_id: key.id.as_str(),
            sub: owner.map_or(key.tenant.id.as_str(), |owner| owner.id.as_str()),
            username: owner.map(|owner| owner.name.as_str()),
            iss: issuer,
            exp: ends.map(|end| end.timestamp()),
            iat: key.secret_issued_at.timestamp(),
            token_type: "api_key",
        }
    }
}

/// Introspect a key
///
/// Verifies a key in the form of RFC 7662, for software that supports it. The request says nothing about your client, so
/// a key that is restricted to addresses or origins is not active here: verify it instead. No rate limit is charged.
#[utoipa::path(
    post,
    path = "/api/v1/keys/introspect",
    operation_id = "introspect_key",
    tag = "Key verification",
    extensions(("x-permission" = json!(VerifyKeys::PERMISSION))),
    security(("bearer" = []), ("x_api_key" = []), ("user_api_key" = []), ("client_secret_basic" = [])),
    request_body(content = IntrospectRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The state of the key", body = IntrospectionView),
        (
            status = 401,
            description = "With `client_secret_basic` or `client_secret_post`, an error as in RFC 6749. ",
            body = OAuthErrorView<'static>,
        ),
    ),
)]
pub async fn introspect(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = body::bytes(body).await;
    let is_form = body::is(&parts.headers, FORM);
    let form = bytes.as_deref().unwrap_or_default();
    let authentication = ClientAuthentication::find(&parts.headers, if is_form { form } else { &[] });
    let (method, presented) = (authentication.method, authentication.presented);
    let verifier: Admitted<VerifyKeys> = match admit_credential(&parts, &api, presented, None).await {
        Err(problem) if method.is_oauth() && problem.code().status() == StatusCode::UNAUTHORIZED => {
            return Ok(invalid_client(&problem, method));
        }
        admitted => admitted?,
    };
    let bytes = bytes?;
    if !is_form {
        return Err(Problem::new(
            Code::UnsupportedMediaType,
            format!("Send the token in a form body, with Content-Type: {FORM}."),
        ));
    }
    // Other parameters are ignored, as the standard asks.
    let IntrospectRequest { token, .. } = input::deserialize_form(&bytes)?;
    let key_query = KeyQuery::for_introspection(token.into());
    let key_verdict = decide(&api, &parts, &verifier.caller, &key_query).await?;
    let active = key_verdict.key.as_deref().filter(|_| key_verdict.refusal.is_none());
    let key = match active {
        Some(key) => Some(ActiveKeyView::new(key, scope(&api, key).await?, &api.public_url)),
        None => None,
    };
    Ok(body::json_response(&IntrospectionView { active: key.is_some(), key }))
}

/// Returns the effective permissions of a key. Only wildcards need a query for the names that they stand for.
async fn scope(api: &Api, key: &CachedKey) -> Result<String, Problem> {
    let has_wildcard = key.grants.permissions.iter().any(Permission::is_wildcard);
    let known = match has_wildcard {
        true => api.keyring.named_permissions(&key.tenant.id).await.map_err(|error| unavailable(&error))?,
        false => Vec::new(),
    };
    let names: Vec<String> = key.grants.expand(&known).into_iter().map(ToString::to_string).collect();
    Ok(names.join(" "))
}

/// The ways in which a client of RFC 7662 authenticates.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AuthenticationMethod {
    /// Like any caller of the API.
    Header,
    ClientSecretBasic,
    ClientSecretPost,
}

impl AuthenticationMethod {
    /// Returns true if RFC 6749 specifies how a failure is answered.
    fn is_oauth(self) -> bool {
        self != Self::Header
    }
}

struct ClientAuthentication {
    method: AuthenticationMethod,
    presented: Result<Option<PresentedCredential>, Conflict>,
}

impl ClientAuthentication {
    /// Basic means `client_secret_basic` here, never a person's password.
    fn find(headers: &HeaderMap, form: &[u8]) -> Self {
        let mut secrets = form_urlencoded::parse(form).filter(|(name, _)| name == "client_secret");
        let posted = secrets.next().map(|(_, secret)| SecretString::from(secret.into_owned()));
        let (method, presented) = match (find_credential(headers), posted) {
            (Ok(Some(_)), Some(_)) => (AuthenticationMethod::ClientSecretPost, Err(Conflict)),
            (Ok(None), Some(secret)) => {
                (AuthenticationMethod::ClientSecretPost, Ok(Some(PresentedCredential::Secret(secret))))
            }
            (Ok(Some(PresentedCredential::Basic { password, .. })), None) => {
                let secret = decode_client_secret(&password);
                (AuthenticationMethod::ClientSecretBasic, Ok(Some(PresentedCredential::Secret(secret))))
            }
            (presented, _) => (AuthenticationMethod::Header, presented),
        };
        Self { method, presented }
    }
}

/// Decodes a client secret, which clients encode like a form before they put it into Basic (RFC 6749, 2.3.1). Some do
/// not, which makes no difference to a key: it contains neither `%` nor `+`.
fn decode_client_secret(encoded: &SecretString) -> SecretString {
    percent_decode_str(encoded.expose_secret()).decode_utf8_lossy().into_owned().into()
}

/// A failed authentication of a client that uses OAuth 2.0.
#[derive(Serialize, ToSchema)]
#[schema(as = OAuthError)]
pub struct OAuthErrorView<'a> {
    #[schema(example = "invalid_client")]
    error: &'static str,
    error_description: &'a str,
}

/// Failed client authentication (RFC 6749, 5.2).
fn invalid_client(problem: &Problem, method: AuthenticationMethod) -> Response {
    let mut response =
        body::json_response(&OAuthErrorView { error: "invalid_client", error_description: problem.detail() });
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let challenge = match method {
        AuthenticationMethod::ClientSecretBasic => "Basic realm=\"latchkey\"",
        _ => "Bearer realm=\"latchkey\"",
    };
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl KeyQuery {
    fn for_introspection(secret: SecretString) -> Self {
        Self { secret, permission: None, property: None, address: None, origin: None, cost: 0 }
    }
}

#[derive(Serialize)]
struct AuthorizationServerMetadata<'a> {
    issuer: &'a str,
    response_types_supported: [&'static str; 0],
    introspection_endpoint: String,
    introspection_endpoint_auth_methods_supported: [&'static str; 3],
}

/// Answers with the metadata of RFC 8414, for software that is configured with the URL of the installation only.
pub async fn metadata(State(api): State<Api>) -> Response {
    body::json_response(&AuthorizationServerMetadata {
        issuer: &api.public_url,
        response_types_supported: [],
        introspection_endpoint: format!("{}{INTROSPECT_ROUTE}", api.public_url),
        introspection_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "Bearer"],
    })
}
