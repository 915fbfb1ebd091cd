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

use self::exchange::CallInfo;
use crate::{
    metrics::Metrics,
    problem::{Code, Problem},
};

pub mod admission;
mod body;
pub(crate) mod cors;
pub mod credential;
mod cursor;
pub(crate) mod exchange;
mod idempotency_key;
mod list;
pub mod openapi;
pub(crate) mod parameters;
pub mod reference;
mod v1;

/// Where back ends ask.
pub const VERIFY: &str = "/api/v1/keys/verify";

/// What the API works with. Each request is handed it several times over.
#[derive(Clone)]
pub struct Api(Arc<Works>);

pub struct Works {
    pub keyring: Keyring,
    pub booking: Booking,
    pub metrics: Arc<Metrics>,
    /// Without a slash at the end.
    pub public_url: Arc<str>,
}

impl Api {
    #[must_use]
    pub fn new(works: Works) -> Self {
        Self(Arc::new(works))
    }
}

impl Deref for Api {
    type Target = Works;

    fn deref(&self) -> &Works {
        &self.0
    }
}

/// Everything below `/api`.
pub fn router(api: Api) -> Router {
    let document = Arc::new(openapi::document(&api.public_url));
    v1::routes()
        .route("/api/openapi.json", get(async move || describe(&document)))
        .route("/api/{*path}", axum::routing::any(nowhere))
        .method_not_allowed_fallback(other_method)
        .layer(middleware::from_fn_with_state(api.clone(), layer))
        .with_state(api)
}

async fn layer(State(api): State<Api>, request: Request, next: Next) -> Response {
    around(&api, request, |request| next.run(request)).await
}

/// What stands around every route. It is one layer, because each costs a request more than what is done here.
async fn around<F: Future<Output = Response>>(
    api: &Api,
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response {
    if let Some(answer) = cors::answer_preflight(&request) {
        return answer;
    }
    let origin = cors::origin(&request);
    let call = CallInfo::of(request.method(), request.extensions(), api.keyring.now());
    let mut response = exchange::follow(api, call, request, answer).await;
    cors::explain(response.headers_mut(), origin);
    response
}

/// Answers what back ends ask about each of their own calls, without the router.
pub async fn verify(api: &Api, request: Request) -> Response {
    let verify = async |request| v1::keys::verify::verify(State(api.clone()), request).await.into_response();
    around(api, request, verify).await
}

fn describe(document: &OpenApi) -> Json<OpenApi> {
    Json(document.clone())
}

async fn nowhere() -> Problem {
    Problem::new(Code::NotFound, "There is no such address in the API. /docs lists those that there are.")
}

async fn other_method() -> Problem {
    Code::MethodNotAllowed.into()
}
