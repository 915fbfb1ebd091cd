//! The access log: one line for each request.

use std::{net::IpAddr, time::Duration};

use axum::{
    extract::Request,
    http::{Method, StatusCode},
    response::Response,
};
use domain::{id::Id, verdict::Verdict};
use keyring::CachedKey;

use crate::{
    api::call_record::{CLIENT_CLOSED_REQUEST, CallRecord},
    metrics::{self, StaticFile},
    route::Route,
};

/// The target of the access log's lines. `LATCHKEY_LOG=info,access=off` filters by it.
const TARGET: &str = "access";

/// Routes that are called for each call of another API, or by a machine every few seconds. What goes well there is
/// logged at `debug`.
const FREQUENT_ROUTES: [&str; 6] =
    ["/api/v1/keys/verify", "/api/v1/keys/introspect", "/gateway/auth", "/livez", "/readyz", "/metrics"];

/// Logs the request when dropped, so that one whose client disconnects before the response is logged as well.
///
/// A line holds no path, query or header: secrets may be mistaken into all of them, and even for the method.
pub struct RequestLog {
    call_record: CallRecord,
    pub method: &'static str,
    pub route: Route,
    address: IpAddr,
    answered: Option<(StatusCode, Duration)>,
}

impl RequestLog {
    pub fn begin(request: &Request, call_record: CallRecord, address: IpAddr) -> Self {
        Self {
            call_record,
            method: metrics::known(request.method()),
            route: Route::of(request.extensions()),
            address,
            answered: None,
        }
    }

    pub fn is_head(&self) -> bool {
        self.method == Method::HEAD.as_str()
    }

    /// Notes the response, and returns how long it took.
    pub fn finish(&mut self, response: &Response) -> Duration {
        let duration = self.call_record.elapsed();
        self.answered = Some((response.status(), duration));
        if response.extensions().get::<StaticFile>().is_some() {
            self.route = Route::Named("static");
        }
        duration
    }

    fn is_routine(&self, status: u16) -> bool {
        let verified = self.call_record.verified();
        status < 400
            && FREQUENT_ROUTES.contains(&self.route.as_str())
            && verified.is_none_or(|verified| verified.verdict == Verdict::Valid)
    }
}

impl Drop for RequestLog {
    fn drop(&mut self) {
        let (status, duration) = match self.answered {
            Some((status, duration)) => (status.as_u16(), duration),
            None => (CLIENT_CLOSED_REQUEST, self.call_record.elapsed()),
        };
        macro_rules! log {
            ($level:ident) => {{
                let (auth_outcome, verified) = (self.call_record.auth_outcome(), self.call_record.verified());
                let verdict = verified.map(|verified| verified.verdict).or_else(|| auth_outcome?.verdict);
                tracing::$level!(
                    target: TARGET,
                    request_id = %self.call_record.request_id().as_str(),
                    method = %self.method,
                    route = %self.route.as_str(),
                    status,
                    duration_ms = duration.as_micros() as f64 / 1_000.0,
                    verdict = verdict.map(tracing::field::display),
                    key_id = id_of(auth_outcome.and_then(|auth_outcome| auth_outcome.key.as_deref())).map(tracing::field::display),
                    verified_key_id = id_of(verified.and_then(|verified| verified.key.as_deref())).map(tracing::field::display),
                    address = %self.address,
                    "request"
                );
            }};
        }
        if status >= 500 {
            log!(error);
        } else if self.is_routine(status) {
            log!(debug);
        } else {
            log!(info);
        }
    }
}

fn id_of(key: Option<&CachedKey>) -> Option<&str> {
    key.map(|key| key.id.as_str())
}
