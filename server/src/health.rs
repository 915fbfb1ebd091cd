//! Probes and metrics for operators.

use std::{error::Error, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderValue, header::RETRY_AFTER},
    response::Response,
    routing::get,
};
use keyring::Keyring;

use crate::{
    background::TaskStatus,
    metrics::Metrics,
    problem::{Code, Problem},
};

/// None of it requires a session.
pub fn router(keyring: Keyring, metrics: Arc<Metrics>, tasks: TaskStatus) -> Router {
    let ready = get(ready).with_state((keyring.clone(), tasks.clone()));
    let metrics = get(render_metrics).with_state((keyring, metrics, tasks));
    Router::new()
        .route("/livez", get(live))
        .route("/livez/", get(live))
        .route("/readyz", ready.clone())
        .route("/readyz/", ready)
        .route("/metrics", metrics.clone())
        .route("/metrics/", metrics)
}

async fn render_metrics(
    State((keyring, metrics, tasks)): State<(Keyring, Arc<Metrics>, TaskStatus)>,
    headers: HeaderMap,
) -> Response {
    metrics.set_usage_pending(keyring.usage_pending() as u64);
    metrics.set_lease_remaining(keyring.lease_remaining());
    keyring.take_confirmations().into_iter().for_each(|took| metrics.observe_confirmation(took));
    for (event, count) in keyring.take_security_events() {
        metrics.count_security_events(event, count);
    }
    let lease_renewal = ("lease_renewal", keyring.lease_renewal_restarts());
    tasks.restarts().chain([lease_renewal]).for_each(|(task, restarts)| metrics.set_task_restarts(task, restarts));
    metrics.render(&headers)
}

async fn live() -> &'static str {
    "ok"
}

async fn ready(State((keyring, tasks)): State<(Keyring, TaskStatus)>) -> Result<&'static str, Problem> {
    let unavailable = |detail: String| {
        Problem::new(Code::Unavailable, detail).with_header(RETRY_AFTER, HeaderValue::from_static("1"))
    };
    tasks.check().map_err(|stopped| unavailable(stopped.to_string()))?;
    match keyring.ready().await {
        Ok(()) => Ok("ok"),
        Err(missing) => {
            if let Some(cause) = missing.source() {
                tracing::error!(%cause, "not ready");
            }
            Err(unavailable(missing.to_string()))
        }
    }
}
