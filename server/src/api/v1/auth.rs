//! `/api/v1/auth/token`: access tokens, for those who have yet to move to a key.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use keyring::{AccessToken, Credentials, Refusal};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{
    Api,
    admission::{refusal_problem, unavailable},
    body,
    call_record::set_deprecation_headers,
    input::Body,
};
use crate::{address, problem::Problem};

/// An e-mail address and a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenRequest)]
pub struct TokenRequest {
    /// `organization/address` where people of several organizations have the address.
    #[schema(example = "robin@example.com")]
    email: String,
    #[schema(format = Password)]
    password: String,
}

/// An access token. Send it as `Authorization: Bearer <access_token>`.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub struct TokenView {
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// In seconds.
    #[schema(example = 3600)]
    expires_in: u64,
}

impl Body for TokenRequest {}

/// Get an access token
///
/// The old way, with a person's e-mail address and password. It ends with the sunset: use an API key.
#[utoipa::path(
    post,
    path = "/api/v1/auth/token",
    operation_id = "create_token",
    tag = "Legacy authentication",
    request_body = TokenRequest,
    responses((status = 200, description = "The token", body = TokenView)),
    security(()),
)]
pub async fn token(State(api): State<Api>, request: Request) -> Response {
    let mut response = issue(&api, request).await.into_response();
    set_deprecation_headers(response.headers_mut(), &api);
    response
}

async fn issue(api: &Api, request: Request) -> Result<Json<TokenView>, Problem> {
    let (parts, body) = request.into_parts();
    let TokenRequest { email, password } = body::deserialize_json(body::json(&parts.headers, body).await?)?;
    let address = address::from_extensions(&parts.extensions);
    let credentials = Credentials::from_user_name(&email, password.into());
    let issued = api.keyring.issue_token(credentials, address.nearest).await.map_err(|error| unavailable(&error))?;
    let AccessToken { token, lifetime } = issued.map_err(|refusal| refusal_problem(&Refusal::from(refusal)))?;
    let access_token = token.expose_secret().to_owned();
    Ok(Json(TokenView { access_token, token_type: "Bearer", expires_in: lifetime.as_secs() }))
}
