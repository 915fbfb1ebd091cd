//! The layers that every request passes, and the router of all surfaces.

use std::{net::SocketAddr, panic::AssertUnwindSafe, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::Method,
    middleware::{self, Next},
    response::Response,
};
use futures::FutureExt;
use ipnet::IpNet;
use tower::Service;
use tower_http::limit::RequestBodyLimitLayer;
use tracing::Instrument;

use http_input::client_address::ClientAddress;

use crate::{
    api::{self, Api, body::MAX_BODY_BYTES, call_record::CallRecord},
    gateway, guard,
    metrics::Metrics,
    problem,
    request_id::{RequestId, X_REQUEST_ID},
    request_log::RequestLog,
    route::Route,
};

/// The settings for admitting requests.
pub struct EdgeMiddleware {
    pub public_url: Arc<str>,
    pub trusted_proxies: Arc<[IpNet]>,
    pub metrics: Arc<Metrics>,
}

/// All HTTP surfaces.
#[derive(Clone)]
pub struct App {
    edge: Arc<EdgeMiddleware>,
    api: Api,
    router: Router,
}

impl App {
    /// Wraps the console, whose bodies are limited here, and the API, which limits them itself.
    pub fn new(edge: EdgeMiddleware, console: Router, api: Api) -> Self {
        let edge = Arc::new(edge);
        let router = console.layer(RequestBodyLimitLayer::new(MAX_BODY_BYTES)).merge(api::router(api.clone()));
        Self { router: router.layer(middleware::from_fn_with_state(edge.clone(), layer)), edge, api }
    }

    /// Verify and auth requests bypass the router, which boxes and clones all of its layers for each request.
    pub async fn answer(&self, peer: SocketAddr, mut request: Request) -> Response {
        let Self { edge, api, router } = self;
        match (request.method(), request.uri().path()) {
            (&Method::POST, api::VERIFY_ROUTE) => {
                Route::name(api::VERIFY_ROUTE, &mut request);
                edge.handle(peer, request, |request| api::verify(api, request)).await
            }
            (_, path) if gateway::matches_route(path) => {
                Route::name(gateway::ROUTE, &mut request);
                edge.handle(peer, request, |request| gateway::handle(api, request)).await
            }
            _ => {
                request.extensions_mut().insert(ConnectInfo(peer));
                let Ok(response) = router.clone().call(request).await;
                response
            }
        }
    }
}

async fn layer(
    State(edge): State<Arc<EdgeMiddleware>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    edge.handle(peer, request, |request| next.run(request)).await
}

impl EdgeMiddleware {
    /// Names a request and finds out from where it comes, has it answered, and makes the answer fit to be sent. One
    /// function does it all, because each layer costs a request more than most of what is done here.
    async fn handle<F: Future<Output = Response>>(
        &self,
        peer: SocketAddr,
        mut request: Request,
        answer: impl FnOnce(Request) -> F,
    ) -> Response {
        let call_record = CallRecord::begin(RequestId::from_headers(request.headers()));
        let address = ClientAddress::of_request(peer.ip(), request.headers(), &self.trusted_proxies);
        let mut log = RequestLog::begin(&request, call_record.clone(), address.nearest);
        let version = request.version();
        let extensions = request.extensions_mut();
        extensions.insert(call_record.clone());
        extensions.insert(address);
        let id = call_record.request_id();
        async {
            let response = catch_panic(answer(request)).await;
            let mut response = problem::finish(response, log.is_head(), version, &self.public_url, id);
            let duration = log.finish(&response);
            self.metrics.observe_request(log.method, &log.route, response.status(), duration);
            guard::set_security_headers(response.headers_mut(), &self.public_url);
            response.headers_mut().insert(X_REQUEST_ID, id.header());
            response
        }
        .instrument(id.span())
        .await
    }
}

/// A panic ends the request that it happened in, and no other.
fn catch_panic(answer: impl Future<Output = Response>) -> impl Future<Output = Response> {
    AssertUnwindSafe(answer).catch_unwind().map(|answered| answered.unwrap_or_else(problem::from_panic))
}
