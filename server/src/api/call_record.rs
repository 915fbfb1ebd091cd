//! The parts of every API response besides its content: the rate limit, the deprecation of legacy authentication, and
//! an entry in the key's log.

use std::{
    fmt::{self, Write},
    net::IpAddr,
    sync::{Arc, OnceLock},
    thread,
    time::{Duration, Instant},
};

use arrayvec::ArrayString;
use axum::{
    extract::Request,
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header::LINK},
    response::Response,
};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use domain::verdict::Verdict;
use keyring::{CachedKey, CallDetails, Quota, Use};

use super::Api;
use crate::{address, metrics, request_id::RequestId, route::Route};

pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
pub const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
pub const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Since when Basic and JWT are deprecated: 1 July 2026.
const DEPRECATED_SINCE: i64 = 1_782_864_000;

/// A request while it is answered, with what the evaluator finds out; an extension of every request.
#[derive(Clone)]
pub struct CallRecord(Arc<Inner>);

struct Inner {
    request_id: RequestId,
    started: Instant,
    auth_outcome: OnceLock<AuthOutcome>,
    verified: OnceLock<Verified>,
}

/// The owner of the credential, and the outcome.
pub struct AuthOutcome {
    pub key: Option<Arc<CachedKey>>,
    pub verdict: Option<Verdict>,
    pub quota: Option<Quota>,
    pub is_legacy: bool,
}

/// The key that a back end verified, and its verdict.
pub struct Verified {
    pub key: Option<Arc<CachedKey>>,
    pub verdict: Verdict,
}

impl CallRecord {
    pub fn begin(request_id: RequestId) -> Self {
        Self(Arc::new(Inner {
            request_id,
            started: Instant::now(),
            auth_outcome: OnceLock::new(),
            verified: OnceLock::new(),
        }))
    }

    /// The exchange of a request, as the front put it there.
    pub fn of(extensions: &Extensions) -> &Self {
        let Some(call_record) = extensions.get() else { unreachable!("the edge middleware adds a call record") };
        call_record
    }

    pub fn request_id(&self) -> &RequestId {
        &self.0.request_id
    }

    pub fn elapsed(&self) -> Duration {
        self.0.started.elapsed()
    }

    /// Records the outcome. A request is decided once.
    pub fn note(&self, auth_outcome: AuthOutcome) {
        let _ = self.0.auth_outcome.set(auth_outcome);
    }

    pub fn auth_outcome(&self) -> Option<&AuthOutcome> {
        self.0.auth_outcome.get()
    }

    pub fn note_verified(&self, verified: Verified) {
        let _ = self.0.verified.set(verified);
    }

    pub fn verified(&self) -> Option<&Verified> {
        self.0.verified.get()
    }
}

/// Has a request answered, and notes the call in the log of the key that it came with.
pub async fn with_call_log<F: Future<Output = Response>>(
    api: &Api,
    call: CallInfo,
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response {
    let call_record = CallRecord::of(request.extensions()).clone();
    let mut record = RecordOnDrop { api, call, call_record: &call_record, status: None };
    let mut response = answer(request).await;
    record.status = Some(response.status());
    let Some(auth_outcome) = call_record.auth_outcome() else { return response };
    if let Some(quota) = auth_outcome.quota {
        set_rate_limit_headers(response.headers_mut(), quota);
    }
    if auth_outcome.is_legacy {
        set_deprecation_headers(response.headers_mut(), api);
    }
    response
}

/// Records the call in its key's log when dropped. A call whose client disconnects before the response is recorded as
/// well: it may have changed something.
struct RecordOnDrop<'a> {
    api: &'a Api,
    call: CallInfo,
    call_record: &'a CallRecord,
    status: Option<StatusCode>,
}

/// The status that many servers log for a client that disconnected before the response.
pub const CLIENT_CLOSED_REQUEST: u16 = 499;

impl Drop for RecordOnDrop<'_> {
    fn drop(&mut self) {
        let Some(AuthOutcome { key, verdict: Some(verdict), .. }) = self.call_record.auth_outcome() else { return };
        let status = match self.status {
            Some(status) => status.as_u16(),
            None if thread::panicking() => StatusCode::INTERNAL_SERVER_ERROR.as_u16(),
            None => CLIENT_CLOSED_REQUEST,
        };
        self.call.record(self.api, self.call_record, key.as_deref(), *verdict, status);
    }
}

/// The part of a call record that is known before the response.
pub struct CallInfo {
    pub at: DateTime<Utc>,
    pub method: &'static str,
    /// Most calls never come into the log, so it is written out late.
    pub route: Route,
    pub address: Option<IpAddr>,
}

impl CallInfo {
    pub fn of(method: &Method, extensions: &Extensions, at: DateTime<Utc>) -> Self {
        let address = Some(address::from_extensions(extensions).nearest);
        Self { at, method: metrics::known(method), route: Route::of(extensions), address }
    }

    /// Counts what was said of a key, and puts the call into the key's log if there is such a key.
    pub fn record(&self, api: &Api, call_record: &CallRecord, key: Option<&CachedKey>, verdict: Verdict, status: u16) {
        api.metrics.count_verdict(verdict);
        let Some(key) = key else { return };
        let &Self { at, method, ref route, address } = self;
        api.keyring.record(key, Use { at, verdict, address }, || CallDetails {
            request_id: call_record.request_id().text(),
            method,
            route: route.to_text(),
            status,
            duration: call_record.elapsed(),
        });
    }
}

fn set_rate_limit_headers(headers: &mut HeaderMap, quota: Quota) {
    let Quota { limit, remaining, reset_seconds } = quota;
    headers.insert(RATE_LIMIT_POLICY, short(format_args!("\"default\";q={limit};w=60")));
    headers.insert(RATE_LIMIT, short(format_args!("\"default\";r={remaining};t={reset_seconds}")));
}

/// Every response to a key carries its quota: two header values written without allocation.
fn short(line: fmt::Arguments<'_>) -> HeaderValue {
    let mut text = ArrayString::<64>::new();
    let written = text.write_fmt(line).map(|()| HeaderValue::from_str(&text));
    let Ok(Ok(value)) = written else { unreachable!("the line is plain, and its numbers are short") };
    value
}

/// RFC 9745 and RFC 8594.
pub fn set_deprecation_headers(headers: &mut HeaderMap, api: &Api) {
    let text = |text: String| HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
    headers.insert(DEPRECATION, text(format!("@{DEPRECATED_SINCE}")));
    headers.insert(SUNSET, text(sunset(api.keyring.legacy_sunset())));
    let link = format!("<{}/docs/migrate>; rel=\"deprecation\"; type=\"text/html\"", api.public_url);
    headers.append(LINK, text(link));
}

/// The last second of the last day, as an HTTP date; never before the deprecation itself.
fn sunset(last_day: NaiveDate) -> String {
    let end = last_day.and_time(NaiveTime::from_hms_opt(23, 59, 59).unwrap_or_default()).and_utc();
    let deprecated = DateTime::from_timestamp(DEPRECATED_SINCE, 0).unwrap_or_default();
    end.max(deprecated).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sunset_is_an_http_date_after_the_deprecation() {
        let date = |text: &str| text.parse().unwrap();
        assert_eq!(sunset(date("2027-06-30")), "Wed, 30 Jun 2027 23:59:59 GMT");
        assert_eq!(sunset(date("2020-01-01")), "Wed, 01 Jul 2026 00:00:00 GMT");
    }
}
