//! A cache of positive answers.

use std::{
    fmt,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use quick_cache::sync;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::{Answer, Caller, Error, Latchkey, VerifyRequest};

/// The maximum number of cached callers.
const CAPACITY: usize = 10_000;

type Fingerprint = [u8; 32];

pub struct Cache {
    lifetime: Duration,
    callers: sync::Cache<Fingerprint, CachedCaller>,
}

#[derive(Clone)]
struct CachedCaller {
    caller: Caller,
    /// Before the question was asked, so that nothing that happened since can be older than it looks.
    asked: Instant,
    /// Wall-clock time: it advances while the machine sleeps, and expirations refer to it.
    until: DateTime<Utc>,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

impl Cache {
    pub fn new(lifetime: Duration) -> Self {
        Self { lifetime, callers: sync::Cache::new(CAPACITY) }
    }

    pub async fn ask(&self, latchkey: &Latchkey, request: &VerifyRequest) -> Result<Answer, Error> {
        let fingerprint = fingerprint(request);
        let (asked, now) = (Instant::now(), Utc::now());
        if let Some(caller) = self.recall(&fingerprint, asked, now) {
            return Ok(Answer::Valid(Box::new(caller)));
        }
        let answer = latchkey.verify(request).await?;
        if let Answer::Valid(caller) = &answer {
            self.remember(fingerprint, caller, asked, now);
        }
        Ok(answer)
    }

    fn recall(&self, fingerprint: &Fingerprint, instant: Instant, now: DateTime<Utc>) -> Option<Caller> {
        let CachedCaller { caller, asked, until } = self.callers.get(fingerprint)?;
        if instant.saturating_duration_since(asked) < self.lifetime && now < until {
            return Some(caller);
        }
        self.callers.remove(fingerprint);
        None
    }

    fn remember(&self, fingerprint: Fingerprint, caller: &Caller, asked: Instant, now: DateTime<Utc>) {
        let lifetime = TimeDelta::from_std(self.lifetime).unwrap_or(TimeDelta::MAX);
        let forgotten = now.checked_add_signed(lifetime).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let until = caller.ends_at().map_or(forgotten, |end| end.min(forgotten));
        // A remaining quota is out of date as soon as it is cached.
        let caller = Caller { rate_limit: None, ..caller.clone() };
        self.callers.insert(fingerprint, CachedCaller { caller, asked, until });
    }
}

/// A hash over all fields of the request, each with its length, so that no two requests have the same input.
fn fingerprint(request: &VerifyRequest) -> Fingerprint {
    let VerifyRequest { key, permission, property, ip, origin, cost } = request;
    let ip = ip.map(|ip| ip.to_string());
    let cost = cost.map(|calls| calls.to_string());
    let parts = [Some(key.expose_secret()), permission.as_deref(), property.as_deref(), ip.as_deref()];
    let mut hash = Sha256::new();
    for part in parts.into_iter().chain([origin.as_deref(), cost.as_deref()]) {
        let length = part.map_or(u64::MAX, |part| part.len() as u64);
        hash.update(length.to_le_bytes());
        hash.update(part.unwrap_or_default());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LIFETIME: Duration = Duration::from_secs(10);

    fn caller(expires_at: Option<DateTime<Utc>>) -> Caller {
        let caller = json!({
            "key_id": "key_1", "tenant": { "id": "ten_1" }, "expires_at": expires_at,
            "rate_limit": { "limit": 60, "remaining": 59, "reset_seconds": 1 },
        });
        serde_json::from_value(caller).unwrap()
    }

    /// Returns whether it is still cached after this many seconds by each clock.
    fn is_recalled(cache: &Cache, caller: &Caller, by_instant: u64, by_wall: i64) -> bool {
        let (asked, now) = (Instant::now(), Utc::now());
        cache.remember([1; 32], caller, asked, now);
        let later = (asked + Duration::from_secs(by_instant), now + TimeDelta::seconds(by_wall));
        cache.recall(&[1; 32], later.0, later.1).is_some()
    }

    #[test]
    fn cached_caller_expires_by_either_clock() {
        let (cache, caller) = (Cache::new(LIFETIME), caller(None));
        for (by_instant, by_wall, expected) in
            [(0, 0, true), (9, 9, true), (10, 9, false), (9, 10, false), (3, -3600, true), (10, -3600, false)]
        {
            assert_eq!(is_recalled(&cache, &caller, by_instant, by_wall), expected, "{by_instant} {by_wall}");
        }
    }

    #[test]
    fn cached_caller_expires_with_its_key() {
        let cache = Cache::new(LIFETIME);
        let soon = caller(Some(Utc::now() + TimeDelta::milliseconds(4500)));
        assert!(is_recalled(&cache, &soon, 4, 4));
        assert!(!is_recalled(&cache, &soon, 5, 5));
        let late = caller(Some(Utc::now() + TimeDelta::days(1)));
        assert!(!is_recalled(&cache, &late, 10, 10));
    }

    #[test]
    fn any_ttl_is_accepted() {
        let caller = caller(None);
        assert!(!is_recalled(&Cache::new(Duration::ZERO), &caller, 0, 0));
        assert!(is_recalled(&Cache::new(Duration::MAX), &caller, 60, 60));
    }

    #[test]
    fn remaining_quota_is_not_cached() {
        let cache = Cache::new(LIFETIME);
        cache.remember([1; 32], &caller(None), Instant::now(), Utc::now());
        assert_eq!(cache.recall(&[1; 32], Instant::now(), Utc::now()).unwrap().rate_limit, None);
    }

    #[test]
    fn cache_is_bounded() {
        let (cache, caller) = (Cache::new(LIFETIME), caller(None));
        for number in 0..3 * CAPACITY {
            let mut fingerprint = [0; 32];
            fingerprint[..8].copy_from_slice(&number.to_le_bytes());
            cache.remember(fingerprint, &caller, Instant::now(), Utc::now());
        }
        assert!(cache.callers.len() <= CAPACITY, "{}", cache.callers.len());
    }

    #[test]
    fn every_request_has_its_own_fingerprint() {
        let plain = || VerifyRequest::new("abc");
        let ip = |text: &str| text.parse().unwrap();
        let questions = [
            plain(),
            VerifyRequest::new("abd"),
            plain().permission("a:read"),
            plain().property("a:read"),
            plain().origin("a:read"),
            plain().permission(""),
            plain().property(""),
            plain().permission("a").property("b"),
            plain().permission("ab").property(""),
            plain().ip(ip("10.0.0.1")),
            plain().ip(ip("10.0.0.2")),
            plain().origin("10.0.0.1"),
            plain().cost(0),
            plain().cost(1),
        ];
        let fingerprints: std::collections::HashSet<_> = questions.iter().map(fingerprint).collect();
        assert_eq!(fingerprints.len(), questions.len());
        assert_eq!(fingerprint(&plain().ip(ip("10.0.0.1"))), fingerprint(&questions[9]));
    }
}
