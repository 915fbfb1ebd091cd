//! The usage of the demo's keys, as if they had been called for a month.

use std::{net::IpAddr, time::Duration};

use arrayvec::ArrayString;
use chrono::{DateTime, TimeDelta, Timelike, Utc};
use domain::{
    id::KeyId,
    usage::LOG_DAYS,
    usage_record::{Call, CallDetails, MAX_REQUEST_ID_BYTES, Use},
    verdict::Verdict,
};
use rand::RngExt;
use ulid::{ULID_LEN, Ulid};

use crate::keys::DemoKey;

/// The load of each hour of the day, on a scale to twelve.
const BUSY: [u32; 24] = [1, 1, 0, 0, 1, 2, 4, 7, 10, 12, 11, 9, 8, 9, 10, 11, 12, 12, 10, 8, 6, 4, 3, 2];

/// An address outside every allowlist.
const STRANGER: [u8; 4] = [198, 51, 100, 77];

/// Returns the calls with a key until the last one. Only those of the last days are logged, so an older key has one.
pub(crate) fn calls_until(last: DateTime<Utc>, now: DateTime<Utc>, id: &KeyId, key: &DemoKey) -> Vec<Call> {
    let hours = if last > now - TimeDelta::days(LOG_DAYS) { LOG_DAYS * 24 } else { 1 };
    (0..hours).flat_map(|ago| calls_of_hour(id, key, last, ago)).collect()
}

/// The calls in one of the hours that end with the last call. That one is always among them.
fn calls_of_hour(id: &KeyId, key: &DemoKey, last: DateTime<Utc>, ago: i64) -> impl Iterator<Item = Call> {
    let end = last - TimeDelta::hours(ago);
    // No two days are alike, but every demo is.
    let unevenness = 5 + (ago / 24 * 29 % 7 + ago % 5) as u32;
    let count = BUSY[end.hour() as usize] * key.busiest_hour * unevenness / (12 * 10);
    let count = i64::from(count.max(u32::from(ago == 0)));
    (0..count).map(move |index| call(id, key, end - TimeDelta::seconds(index * 3571 / count), ago * 7 + index))
}

fn call(id: &KeyId, key: &DemoKey, at: DateTime<Utc>, number: i64) -> Call {
    let is_denied = number % 31 == 7 && number / 168 % 4 < 2;
    let outcome = match (number % 53, key.denied) {
        (11..=13, _) => Verdict::RateLimited,
        (_, Some(denied)) if is_denied => denied,
        _ => Verdict::Valid,
    };
    let (method, route) = match outcome {
        Verdict::InsufficientPermissions => ("POST", "/api/v1/reservations"),
        _ => key.calls[(number % key.calls.len() as i64) as usize],
    };
    let address = IpAddr::from(if outcome == Verdict::IpNotAllowed { STRANGER } else { key.from });
    let details = CallDetails {
        request_id: request_id(at),
        method,
        route: route.into(),
        status: status(outcome, method, route),
        duration: Duration::from_micros(800 + number.unsigned_abs() * 7_919 % 9_000),
    };
    Call { key: id.clone(), secret_id: None, used: Use { at, verdict: outcome, address: Some(address) }, details }
}

fn request_id(at: DateTime<Utc>) -> ArrayString<MAX_REQUEST_ID_BYTES> {
    let millis = at.timestamp_millis().unsigned_abs();
    let mut id = ArrayString::new();
    id.push_str("req_");
    id.push_str(Ulid::from_parts(millis, rand::rng().random()).array_to_str(&mut [0; ULID_LEN]));
    id
}

fn status(outcome: Verdict, method: &str, route: &str) -> u16 {
    match outcome {
        Verdict::Valid if method == "POST" && route.ends_with("/reservations") => 201,
        Verdict::Valid => 200,
        Verdict::RateLimited => 429,
        _ => 403,
    }
}
