//! Prometheus metrics. None of them names a key or a tenant.

use std::{borrow::Cow, sync::atomic::AtomicU64, time::Duration};

use axum::{
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{ACCEPT, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use domain::verdict::Verdict;
use keyring::SecurityEvent;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};

use crate::route::Route;

mod process;
mod text;

const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const PROMETHEUS_TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Histogram buckets in seconds, from a cached verification to a timeout.
const DURATIONS: [f64; 14] =
    [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// The metrics of this process.
pub struct Metrics {
    registry: Registry,
    durations: Family<HttpLabels, Histogram, fn() -> Histogram>,
    /// In the order of [`Verdict::ALL`].
    verdicts: [Counter; Verdict::ALL.len()],
    sign_in_failures: Family<SignInFailureLabels, Counter>,
    forbidden_functions: Counter,
    access_tokens_issued: Counter,
    usage_pending: Gauge<u64, AtomicU64>,
    confirmations: Histogram,
    lease_remaining: Gauge<f64, AtomicU64>,
    task_restarts: Family<TaskLabels, Counter>,
}

/// A server that owns its file holds its lease permanently.
const NO_LEASE_SECONDS: f64 = f64::INFINITY;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HttpLabels {
    route: Cow<'static, str>,
    method: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerdictLabels {
    verdict: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SignInFailureLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TaskLabels {
    task: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let durations: Family<HttpLabels, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(DURATIONS));
        let verdict_family = Family::<VerdictLabels, Counter>::default();
        let verdicts = Verdict::ALL
            .map(|verdict| verdict_family.get_or_create_owned(&VerdictLabels { verdict: verdict.as_str() }));
        let usage_pending = Gauge::default();
        let mut registry = Registry::default();
        registry.register_collector(Box::new(process::ProcessCollector));
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("latchkey_build", "The version of the program", build);
        let help = "Duration of requests until their response began";
        registry.register_with_unit("http_server_request_duration", help, Unit::Seconds, durations.clone());
        registry.register("latchkey_verdicts", "Verdicts on presented keys", verdict_family);
        let sign_in_failures = Family::<SignInFailureLabels, Counter>::default();
        for reason in SecurityEvent::ALL.into_iter().filter_map(sign_in_failure) {
            drop(sign_in_failures.get_or_create(&SignInFailureLabels { reason }));
        }
        let (forbidden_functions, access_tokens_issued) = (Counter::default(), Counter::default());
        let help = "Failed attempts to sign in or to prove who is signed in";
        registry.register("latchkey_sign_in_failures", help, sign_in_failures.clone());
        let help = "Denied calls of console functions";
        registry.register("latchkey_forbidden_functions", help, forbidden_functions.clone());
        let help = "Access tokens issued for passwords";
        registry.register("latchkey_access_tokens_issued", help, access_tokens_issued.clone());
        let help = "Calls with keys that are not written to the database yet";
        registry.register("latchkey_usage_pending", help, usage_pending.clone());
        let (confirmations, lease_remaining) = (Histogram::new(DURATIONS), Gauge::default());
        let help = "Duration of changes from their commit until all servers had applied them";
        registry.register_with_unit("latchkey_revocation_confirm", help, Unit::Seconds, confirmations.clone());
        let help = "Time until the lease of the cache expires unless it is renewed";
        registry.register_with_unit("latchkey_lease_remaining", help, Unit::Seconds, lease_remaining.clone());
        let task_restarts = Family::<TaskLabels, Counter>::default();
        registry.register("latchkey_task_restarts", "Restarts of background tasks that failed", task_restarts.clone());
        Self {
            registry,
            durations,
            verdicts,
            sign_in_failures,
            forbidden_functions,
            access_tokens_issued,
            usage_pending,
            confirmations,
            lease_remaining,
            task_restarts,
        }
    }
}

impl Metrics {
    pub fn count_verdict(&self, verdict: Verdict) {
        let index = Verdict::ALL.iter().position(|other| *other == verdict);
        if let Some(counter) = index.and_then(|index| self.verdicts.get(index)) {
            counter.inc();
        }
    }

    /// Observes how long a request took until its response began.
    pub fn observe_request(&self, method: &'static str, route: &Route, status: StatusCode, took: Duration) {
        let answered = HttpLabels { route: route.to_text(), method, status: status.as_u16() };
        self.durations.get_or_create(&answered).observe(took.as_secs_f64());
    }

    pub fn count_security_events(&self, event: SecurityEvent, count: u64) {
        let counter = match event {
            SecurityEvent::Forbidden => self.forbidden_functions.clone(),
            SecurityEvent::TokenIssued => self.access_tokens_issued.clone(),
            failure => {
                let Some(reason) = sign_in_failure(failure) else { return };
                self.sign_in_failures.get_or_create_owned(&SignInFailureLabels { reason })
            }
        };
        counter.inc_by(count);
    }

    pub fn set_usage_pending(&self, pending: u64) {
        self.usage_pending.set(pending);
    }

    pub fn set_lease_remaining(&self, remaining: Option<Duration>) {
        self.lease_remaining.set(remaining.map_or(NO_LEASE_SECONDS, |remaining| remaining.as_secs_f64()));
    }

    pub fn observe_confirmation(&self, took: Duration) {
        self.confirmations.observe(took.as_secs_f64());
    }

    pub fn set_task_restarts(&self, task: &'static str, restarts: u64) {
        let counter = self.task_restarts.get_or_create_owned(&TaskLabels { task });
        counter.inc_by(restarts.saturating_sub(counter.get()));
    }

    /// Renders all metrics, in the OpenMetrics format if the scraper accepts it.
    pub fn render(&self, request: &HeaderMap) -> Response {
        let accepted = request.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        let open_metrics = self.to_open_metrics();
        if accepted.contains("application/openmetrics-text") {
            return ([(CONTENT_TYPE, OPEN_METRICS)], open_metrics).into_response();
        }
        ([(CONTENT_TYPE, PROMETHEUS_TEXT)], text::to_prometheus_text(&open_metrics)).into_response()
    }

    fn to_open_metrics(&self) -> String {
        let mut text = String::new();
        let Ok(()) = encode(&mut text, &self.registry) else { unreachable!("a string takes any text") };
        text
    }
}

/// The label of a failed attempt; none for other events.
fn sign_in_failure(event: SecurityEvent) -> Option<&'static str> {
    match event {
        SecurityEvent::WrongCredentials => Some("wrong_credentials"),
        SecurityEvent::WrongCode => Some("wrong_code"),
        SecurityEvent::WrongCurrentPassword => Some("wrong_current_password"),
        SecurityEvent::Throttled => Some("throttled"),
        SecurityEvent::Forbidden | SecurityEvent::TokenIssued => None,
    }
}

/// A response extension for static files, which all count as one route.
#[derive(Debug, Clone, Copy)]
pub struct StaticFile;

/// The method, or `OTHER` for a non-standard one.
pub fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdict_counters_start_at_zero() {
        let metrics = Metrics::default();
        for verdict in Verdict::ALL {
            assert!(
                metrics.to_open_metrics().contains(&format!("latchkey_verdicts_total{{verdict=\"{verdict}\"}} 0\n"))
            );
            metrics.count_verdict(verdict);
            assert!(
                metrics.to_open_metrics().contains(&format!("latchkey_verdicts_total{{verdict=\"{verdict}\"}} 1\n"))
            );
        }
        metrics.set_usage_pending(7);
        assert!(metrics.to_open_metrics().contains("latchkey_usage_pending 7\n"));
    }
}
