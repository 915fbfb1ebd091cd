//! What operators and their tools ask: whether the program runs, whether it can work, and how it has fared.

use std::{error::Error, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{HeaderValue, header::RETRY_AFTER},
    response::Response,
    routing::get,
};
use keyring::Keyring;

use crate::{
    metrics::Metrics,
    problem::{Code, Problem},
};

/// None of it requires a session.
pub fn router(keyring: Keyring, metrics: Arc<Metrics>) -> Router {
    let ready = get(ready).with_state(keyring.clone());
    let numbers = get(numbers).with_state((keyring, metrics));
    Router::new()
        .route("/livez", get(live))
        .route("/livez/", get(live))
        .route("/readyz", ready.clone())
        .route("/readyz/", ready)
        .route("/metrics", numbers.clone())
        .route("/metrics/", numbers)
}

async fn numbers(State((keyring, metrics)): State<(Keyring, Arc<Metrics>)>) -> Response {
    metrics.set_usage_pending(keyring.usage_pending() as u64);
    metrics.set_lease_remaining(keyring.lease_remaining());
    keyring.take_confirmations().into_iter().for_each(|took| metrics.observe_confirmation(took));
    for (event, count) in keyring.take_security_events() {
        metrics.count_security_events(event, count);
    }
    metrics.render()
}

async fn live() -> &'static str {
    "ok"
}

async fn ready(State(keyring): State<Keyring>) -> Result<&'static str, Problem> {
    let missing = match keyring.ready().await {
        Ok(()) => return Ok("ok"),
        Err(missing) => missing,
    };
    if let Some(cause) = missing.source() {
        tracing::error!(%cause, "not ready");
    }
    Err(Problem::new(Code::Unavailable, missing.to_string()).with_header(RETRY_AFTER, HeaderValue::from_static("1")))
}
