//! What every request passes, whichever face it is for.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{Method, Uri, Version},
    middleware::{self, Next},
    response::Response,
};
use ipnet::IpNet;
use tower::ServiceBuilder;
use tower_http::{catch_panic::CatchPanicLayer, limit::RequestBodyLimitLayer, timeout::RequestBodyTimeoutLayer};
use tracing::Instrument;

use crate::{
    address, guard, metrics,
    metrics::Metrics,
    problem,
    request_id::{RequestId, X_REQUEST_ID},
    written,
};

/// More than the longest form takes.
pub const MOST_BODY_BYTES: usize = 64 * 1024;
/// A body of which nothing arrives for so long will not arrive at all.
const BODY_TIME: Duration = Duration::from_secs(30);

/// What has to be known of the installation to let requests in.
pub struct Front {
    pub public_url: Arc<str>,
    pub trusted_proxies: Arc<[IpNet]>,
    pub metrics: Arc<Metrics>,
}

impl Front {
    /// Puts itself in front of all faces: of those whose bodies are bounded here, and of those that see to it
    /// themselves. A proxy that asks may name the length of a body that is not for us.
    pub fn before(self, bounded: Router, bounding: Router) -> Router {
        bounded.layer(RequestBodyLimitLayer::new(MOST_BODY_BYTES)).merge(bounding).layer(
            ServiceBuilder::new()
                .layer(middleware::from_fn_with_state(Arc::new(self), attend))
                .layer(CatchPanicLayer::custom(problem::of_panic))
                .layer(RequestBodyTimeoutLayer::new(BODY_TIME)),
        )
    }
}

/// Names a request and finds out from where it comes, has it answered, and makes the answer fit to be sent. One
/// function does it all, because each layer costs a request more than most of what is done here.
async fn attend(
    State(front): State<Arc<Front>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let arrival = Arrival::of(&request);
    let id = RequestId::from_headers(request.headers());
    let address = address::client_address(peer.ip(), request.headers(), &front.trusted_proxies);
    let extensions = request.extensions_mut();
    extensions.insert(id.clone());
    extensions.insert(address);
    let span = id.span();
    let answered = async {
        let response = next.run(request).await;
        let mut response = problem::finish(response, arrival.is_head(), arrival.version, &front.public_url, &id);
        let took = arrival.at.elapsed();
        arrival.log(&response, took);
        front.metrics.time(arrival.method, arrival.route.as_ref(), &response, took);
        guard::harden(response.headers_mut(), &front.public_url);
        response.headers_mut().insert(X_REQUEST_ID, id.header());
        response
    };
    answered.instrument(span).await
}

/// What is still to be known of a request once it has been answered.
struct Arrival {
    at: Instant,
    method: &'static str,
    uri: Uri,
    version: Version,
    route: Option<MatchedPath>,
}

impl Arrival {
    fn of(request: &Request) -> Self {
        Self {
            at: Instant::now(),
            method: metrics::known(request.method()),
            uri: request.uri().clone(),
            version: request.version(),
            route: request.extensions().get().cloned(),
        }
    }

    fn is_head(&self) -> bool {
        self.method == Method::HEAD.as_str()
    }

    /// One line a request. Neither the query nor any header is written down: secrets may be mistaken into both, and
    /// even into the path and for the method.
    fn log(&self, response: &Response, took: Duration) {
        let (method, status) = (self.method, response.status().as_u16());
        let path = self.uri.path();
        if status >= 500 {
            tracing::error!(method, path = written::path(path), status, ?took, "answered");
        } else {
            tracing::debug!(method, path = written::path(path), status, ?took, "answered");
        }
    }
}
