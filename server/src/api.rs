//! The public API: what integrations call with a key.

use std::{ops::Deref, sync::Arc};

use axum::{
    Json, Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use booking::Booking;
use keyring::Keyring;
use utoipa::openapi::OpenApi;

use self::{
    call_record::CallInfo,
    v1::keys::introspect::{METADATA_ROUTE, metadata},
};
use crate::{
    metrics::Metrics,
    problem::{Code, Problem},
};

pub mod admission;
pub mod body;
pub(crate) mod call_record;
pub(crate) mod cors;
mod input;
mod list;
pub mod openapi;
pub mod reference;
mod schema;
mod v1;

/// The route for verifying keys.
pub const VERIFY_ROUTE: &str = "/api/v1/keys/verify";

/// The state of the API. It is cloned several times per request.
#[derive(Clone)]
pub struct Api(Arc<ApiState>);

pub struct ApiState {
    pub keyring: Keyring,
    /// None if the booking API is off.
    pub booking: Option<Booking>,
    pub metrics: Arc<Metrics>,
    /// Without a trailing slash.
    pub public_url: Arc<str>,
}

impl Api {
    #[must_use]
    pub fn new(state: ApiState) -> Self {
        Self(Arc::new(state))
    }

    /// The booking engine. Without it, its routes are not registered.
    fn booking(&self) -> Result<&Booking, Problem> {
        self.booking.as_ref().ok_or_else(unknown_path)
    }
}

impl Deref for Api {
    type Target = ApiState;

    fn deref(&self) -> &ApiState {
        &self.0
    }
}

/// Everything below `/api`.
pub fn router(api: Api) -> Router {
    let serves_booking = api.booking.is_some();
    let document = Arc::new(openapi::document(&api.public_url, serves_booking));
    Router::from(v1::routes(serves_booking))
        .route("/api/openapi.json", get(async move || describe(&document)))
        .route(METADATA_ROUTE, get(metadata))
        .route("/api/{*path}", axum::routing::any(not_found))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(api.clone(), layer))
        .with_state(api)
}

async fn layer(State(api): State<Api>, request: Request, next: Next) -> Response {
    with_cors_and_call_log(&api, request, |request| next.run(request)).await
}

/// Adds CORS headers and the call log to every route. It is one layer, because each layer costs more than this work.
async fn with_cors_and_call_log<F: Future<Output = Response>>(
    api: &Api,
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response {
    if let Some(answer) = cors::answer_preflight(&request) {
        return answer;
    }
    let origin = cors::origin(&request);
    let call = CallInfo::of(request.method(), request.extensions(), api.keyring.now());
    let mut response = call_record::with_call_log(api, call, request, answer).await;
    cors::explain(response.headers_mut(), origin);
    response
}

/// Answers what back ends ask about each of their own calls, without the router.
pub async fn verify(api: &Api, request: Request) -> Response {
    let verify = async |request| v1::keys::verify::verify(State(api.clone()), request).await.into_response();
    with_cors_and_call_log(api, request, verify).await
}

fn describe(document: &OpenApi) -> Json<OpenApi> {
    Json(document.clone())
}

async fn not_found() -> Problem {
    unknown_path()
}

fn unknown_path() -> Problem {
    Problem::new(Code::NotFound, "The API has no such endpoint. /docs lists all of them.")
}

async fn method_not_allowed() -> Problem {
    Code::MethodNotAllowed.into()
}
