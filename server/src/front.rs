//! What every request passes, whichever face it is for.

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

use crate::{
    address,
    api::{self, Api, exchange::Exchange},
    gateway, guard,
    metrics::Metrics,
    problem,
    request_id::{RequestId, X_REQUEST_ID},
    request_log::RequestLog,
    route::Route,
};

/// More than the longest form takes.
pub const MOST_BODY_BYTES: usize = 64 * 1024;

/// What has to be known of the installation to let requests in.
pub struct Front {
    pub public_url: Arc<str>,
    pub trusted_proxies: Arc<[IpNet]>,
    pub metrics: Arc<Metrics>,
}

/// Everything that is answered over HTTP.
#[derive(Clone)]
pub struct Faces {
    front: Arc<Front>,
    api: Api,
    router: Router,
}

impl Faces {
    /// Puts the front before the console, whose bodies are bounded here, and before the API, which sees to it itself.
    pub fn behind(front: Front, console: Router, api: Api) -> Self {
        let front = Arc::new(front);
        let router = console.layer(RequestBodyLimitLayer::new(MOST_BODY_BYTES)).merge(api::router(api.clone()));
        Self { router: router.layer(middleware::from_fn_with_state(front.clone(), layer)), front, api }
    }

    /// What is asked about each of somebody else's own calls goes round the router, all of whose layers are boxed and
    /// cloned for each request.
    pub async fn answer(&self, peer: SocketAddr, mut request: Request) -> Response {
        let Self { front, api, router } = self;
        match (request.method(), request.uri().path()) {
            (&Method::POST, api::VERIFY) => {
                Route::name(api::VERIFY, &mut request);
                front.attend(peer, request, |request| api::verify(api, request)).await
            }
            (_, path) if gateway::is_asked(path) => {
                Route::name(gateway::ROUTE, &mut request);
                front.attend(peer, request, |request| gateway::answer(api, request)).await
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
    State(front): State<Arc<Front>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    front.attend(peer, request, |request| next.run(request)).await
}

impl Front {
    /// Names a request and finds out from where it comes, has it answered, and makes the answer fit to be sent. One
    /// function does it all, because each layer costs a request more than most of what is done here.
    async fn attend<F: Future<Output = Response>>(
        &self,
        peer: SocketAddr,
        mut request: Request,
        answer: impl FnOnce(Request) -> F,
    ) -> Response {
        let exchange = Exchange::begin(RequestId::from_headers(request.headers()));
        let address = address::client_address(peer.ip(), request.headers(), &self.trusted_proxies);
        let mut log = RequestLog::begin(&request, exchange.clone(), address.nearest);
        let version = request.version();
        let extensions = request.extensions_mut();
        extensions.insert(exchange.clone());
        extensions.insert(address);
        let id = exchange.request_id();
        async {
            let response = unhurt(answer(request)).await;
            let mut response = problem::finish(response, log.is_head(), version, &self.public_url, id);
            let duration = log.finish(&response);
            self.metrics.time(log.method, &log.route, response.status(), duration);
            guard::harden(response.headers_mut(), &self.public_url);
            response.headers_mut().insert(X_REQUEST_ID, id.header());
            response
        }
        .instrument(id.span())
        .await
    }
}

/// A panic ends the request that it happened in, and no other.
fn unhurt(answer: impl Future<Output = Response>) -> impl Future<Output = Response> {
    AssertUnwindSafe(answer).catch_unwind().map(|answered| answered.unwrap_or_else(problem::of_panic))
}
