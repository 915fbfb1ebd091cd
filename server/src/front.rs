//! What every request passes, whichever face it is for.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use ipnet::IpNet;
use tower::ServiceBuilder;
use tower_http::{catch_panic::CatchPanicLayer, limit::RequestBodyLimitLayer, timeout::RequestBodyTimeoutLayer};

use crate::{address, guard, metrics, metrics::Metrics, problem, request_id, written};

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
    /// Puts itself in front of all faces. A proxy that asks may name the length of a body that is not for us.
    pub fn before(self, faces: Router, gateway: Router) -> Router {
        faces.layer(RequestBodyLimitLayer::new(MOST_BODY_BYTES)).merge(gateway).layer(
            ServiceBuilder::new()
                .layer(middleware::from_fn(request_id::name))
                .layer(middleware::from_fn_with_state(self.public_url.clone(), guard::harden))
                .layer(middleware::from_fn_with_state(self.metrics, metrics::time))
                .layer(middleware::from_fn(log))
                .layer(middleware::from_fn_with_state(self.public_url, problem::finish))
                .layer(CatchPanicLayer::custom(problem::of_panic))
                .layer(middleware::from_fn_with_state(self.trusted_proxies, address::find))
                .layer(RequestBodyTimeoutLayer::new(BODY_TIME)),
        )
    }
}

/// One line a request. Neither the query nor any header is written down: secrets may be mistaken into both, and
/// even into the path and for the method.
async fn log(request: Request, next: Next) -> Response {
    let (method, path) = (metrics::known(request.method()), written::path(request.uri().path()));
    let start = std::time::Instant::now();
    let response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), start.elapsed());
    if status >= 500 {
        tracing::error!(method, path, status, ?took, "answered");
    } else {
        tracing::debug!(method, path, status, ?took, "answered");
    }
    response
}
