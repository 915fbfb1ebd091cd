//! Distributes the room of the call log among tenants and keys. It takes a limited number of calls between two writes,
//! and no tenant and no key can fill it alone.
//!
//! Accepted and refused calls have separate rooms, so that neither crowds out the other. The fuller a room is, the
//! smaller the share of each tenant, and a tenant's share is divided among its keys in the same way. So there is always
//! something left for a tenant that comes later: however many calls the others make, each of `n` tenants can log at
//! least `room / (2 * n + 1)²`.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use domain::verdict::Verdict;

/// More than 5,000 calls between two writes could not be written as fast as they come.
const ACCEPTED_ROOM: u32 = 4_000;
const REFUSED_ROOM: u32 = 1_000;

/// A refused call costs its caller nothing, and the first ten of a minute are as informative as a thousand.
const MAX_REFUSED_PER_MINUTE: u8 = 10;
const MINUTE_MILLIS: i64 = 60_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Accepted,
    Refused,
}

impl Kind {
    fn room(self) -> u32 {
        match self {
            Self::Accepted => ACCEPTED_ROOM,
            Self::Refused => REFUSED_ROOM,
        }
    }
}

impl From<Verdict> for Kind {
    fn from(verdict: Verdict) -> Self {
        if verdict == Verdict::Valid { Self::Accepted } else { Self::Refused }
    }
}

/// The number of calls of one kind logged since the last write: in all, of one tenant, and of one of its keys.
#[derive(Debug, Clone, Copy)]
struct Logged {
    total: u32,
    tenant: u32,
    key: u32,
}

impl Logged {
    /// Returns true if the key can log one more call.
    fn leaves_room_in(self, room: u32) -> bool {
        let tenant_share = share(room, self.total);
        self.tenant < tenant_share && self.key < share(tenant_share, self.tenant)
    }
}

/// The share of one tenant in a room with `taken` calls, or of one key in its tenant's share. A tenant that is alone
/// gets half of the room.
fn share(room: u32, taken: u32) -> u32 {
    let free = u64::from(room.saturating_sub(taken));
    let share = 2 * free * free / u64::from(room.max(1));
    u32::try_from(share).unwrap_or(u32::MAX)
}

/// The room in the log between two writes.
#[derive(Debug, Default)]
pub struct LogRoom {
    /// The number of the batch that is collected.
    batch: AtomicU32,
    accepted: AtomicU32,
    refused: AtomicU32,
}

/// The calls of a tenant in the log. Each call reads it, so it takes no lock.
#[derive(Debug, Default)]
pub struct TenantLog {
    accepted: BatchCount,
    refused: BatchCount,
}

/// The calls of a key in the log.
#[derive(Debug, Default)]
pub struct KeyLog {
    batch: u32,
    accepted: u32,
    refused: u32,
    /// The time of the current minute's first refused call in milliseconds, and the number logged since.
    minute_began: i64,
    refused_in_minute: u8,
}

impl LogRoom {
    /// Takes room for a call, if there is any for its key.
    pub fn take(&self, tenant: &TenantLog, key: &mut KeyLog, verdict: Verdict, at: DateTime<Utc>) -> bool {
        let batch = self.batch.load(Ordering::Relaxed);
        let kind = Kind::from(verdict);
        if kind == Kind::Refused && !key.can_log_refused(at) {
            return false;
        }
        let (total, of_tenant) = match kind {
            Kind::Accepted => (&self.accepted, &tenant.accepted),
            Kind::Refused => (&self.refused, &tenant.refused),
        };
        let of_key = key.in_batch(batch, kind);
        let logged = Logged { total: total.load(Ordering::Relaxed), tenant: of_tenant.get(batch), key: *of_key };
        if !logged.leaves_room_in(kind.room()) {
            return false;
        }
        *of_key += 1;
        of_tenant.increment(batch);
        total.fetch_add(1, Ordering::Relaxed);
        if kind == Kind::Refused {
            key.refused_in_minute += 1;
        }
        true
    }

    /// Makes room for the next batch.
    pub fn begin_batch(&self) {
        self.batch.fetch_add(1, Ordering::Relaxed);
        self.accepted.store(0, Ordering::Relaxed);
        self.refused.store(0, Ordering::Relaxed);
    }
}

impl KeyLog {
    fn in_batch(&mut self, batch: u32, kind: Kind) -> &mut u32 {
        if self.batch != batch {
            (self.batch, self.accepted, self.refused) = (batch, 0, 0);
        }
        match kind {
            Kind::Accepted => &mut self.accepted,
            Kind::Refused => &mut self.refused,
        }
    }

    /// Calls are logged in the order of their answers, so one may have come a little before the minute began.
    fn can_log_refused(&mut self, at: DateTime<Utc>) -> bool {
        let at = at.timestamp_millis();
        if (at - self.minute_began).abs() >= MINUTE_MILLIS {
            (self.minute_began, self.refused_in_minute) = (at, 0);
        }
        self.refused_in_minute < MAX_REFUSED_PER_MINUTE
    }
}

/// A count that begins at 0 in each batch: the number of the batch, and below it the count.
#[derive(Debug, Default)]
struct BatchCount(AtomicU64);

impl BatchCount {
    fn get(&self, batch: u32) -> u32 {
        count_in(self.0.load(Ordering::Relaxed), batch)
    }

    fn increment(&self, batch: u32) {
        let next = |packed| (u64::from(batch) << 32) | u64::from(count_in(packed, batch) + 1);
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |packed| Some(next(packed)));
    }
}

fn count_in(packed: u64, batch: u32) -> u32 {
    if (packed >> 32) as u32 == batch { packed as u32 } else { 0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Tenants with keys that make calls.
    struct Callers {
        room: LogRoom,
        tenants: Vec<(TenantLog, Vec<KeyLog>)>,
    }

    impl Callers {
        fn new(tenants: usize, keys: usize) -> Self {
            let keys = || (0..keys).map(|_| KeyLog::default()).collect();
            Self { room: LogRoom::default(), tenants: (0..tenants).map(|_| (TenantLog::default(), keys())).collect() }
        }

        fn call(&mut self, tenant: usize, key: usize, verdict: Verdict, at: DateTime<Utc>) -> bool {
            let (tenant, keys) = &mut self.tenants[tenant];
            self.room.take(tenant, &mut keys[key], verdict, at)
        }

        /// Makes calls with a key, and returns how many of them are logged.
        fn calls(&mut self, tenant: usize, key: usize, verdict: Verdict, amount: u32) -> u32 {
            (0..amount).map(|_| u32::from(self.call(tenant, key, verdict, now()))).sum()
        }
    }

    fn now() -> DateTime<Utc> {
        "2026-11-26T12:00:00Z".parse().unwrap()
    }

    /// Returns how many calls each of `tenants` can log regardless of the others, minus a rounding error.
    fn least_share(room: u32, tenants: u32) -> u32 {
        (room / (2 * tenants + 1).pow(2)).saturating_sub(tenants)
    }

    #[test]
    fn shares_shrink_as_the_room_fills() {
        for (room, taken, expected) in [
            (4_000, 0, 8_000),
            (4_000, 2_000, 2_000),
            (4_000, 3_000, 500),
            (4_000, 3_900, 5),
            (4_000, 4_000, 0),
            (4_000, 5_000, 0),
            (1, 0, 2),
            (0, 0, 0),
        ] {
            assert_eq!(share(room, taken), expected, "{taken} of {room}");
        }
    }

    #[test]
    fn flooding_tenant_leaves_room_for_later_ones() {
        let mut callers = Callers::new(12, 1);
        let logged: Vec<u32> = (0..12).map(|tenant| callers.calls(tenant, 0, Verdict::Valid, 10_000)).collect();
        assert_eq!(logged, [1_528, 746, 424, 268, 182, 130, 98, 75, 60, 49, 40, 34]);
    }

    #[test]
    fn flooding_key_leaves_room_for_other_keys_of_its_tenant() {
        let mut callers = Callers::new(1, 3);
        let logged: Vec<u32> = (0..3).map(|key| callers.calls(0, key, Verdict::Valid, 10_000)).collect();
        assert_eq!(logged, [1_528, 284, 87]);
    }

    #[test]
    fn next_batch_begins_with_all_the_room() {
        let mut callers = Callers::new(1, 1);
        let first = callers.calls(0, 0, Verdict::Valid, 10_000);
        callers.room.begin_batch();
        assert_eq!(callers.calls(0, 0, Verdict::Valid, 10_000), first);
    }

    #[test]
    fn ten_refused_calls_a_minute_are_logged_of_a_key() {
        let mut callers = Callers::new(1, 2);
        assert_eq!(callers.calls(0, 0, Verdict::Revoked, 1_000), 10);
        callers.room.begin_batch();
        assert_eq!(callers.calls(0, 0, Verdict::RateLimited, 1_000), 0, "for any verdict, in any batch");
        assert_eq!(callers.calls(0, 1, Verdict::Revoked, 1_000), 10, "another key has its own");
        assert_eq!(callers.calls(0, 0, Verdict::Valid, 10), 10, "accepted calls are logged");
        let after = |seconds| now() + chrono::TimeDelta::seconds(seconds);
        assert!(!callers.call(0, 0, Verdict::Revoked, after(59)));
        assert!(!callers.call(0, 0, Verdict::Revoked, after(-1)), "one that came earlier and took longer");
        assert!(callers.call(0, 0, Verdict::Revoked, after(60)));
        assert!(callers.call(0, 0, Verdict::Revoked, after(-86_400)), "the clock was set back");
    }

    #[test]
    fn refused_and_accepted_calls_do_not_crowd_each_other_out() {
        let (mut callers, mut undisturbed) = (Callers::new(2, 1_000), Callers::new(2, 1_000));
        let refused: u32 = (0..1_000).map(|key| callers.calls(0, key, Verdict::Revoked, 20)).sum();
        assert!(refused <= REFUSED_ROOM / 2, "{refused}");
        let accepted = callers.calls(0, 0, Verdict::Valid, 10_000);
        assert_eq!(accepted, undisturbed.calls(0, 0, Verdict::Valid, 10_000));
        assert_eq!(callers.calls(1, 0, Verdict::Expired, 20), 10);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn room_is_never_exceeded_and_every_tenant_gets_its_share(
            tenants in 1..8usize,
            calls in prop::collection::vec((0..8usize, 1..3_000u32), 1..20),
        ) {
            let mut callers = Callers::new(tenants, 1);
            let (mut made, mut logged) = (vec![0; tenants], vec![0; tenants]);
            for (tenant, amount) in calls {
                let tenant = tenant % tenants;
                made[tenant] += amount;
                logged[tenant] += callers.calls(tenant, 0, Verdict::Valid, amount);
            }
            prop_assert!(logged.iter().sum::<u32>() <= ACCEPTED_ROOM);
            let least = least_share(ACCEPTED_ROOM, tenants as u32);
            for (made, logged) in made.iter().zip(&logged) {
                prop_assert!(*logged >= least.min(*made), "{logged} of {made} were logged, at least {least} can be");
            }
        }
    }
}
