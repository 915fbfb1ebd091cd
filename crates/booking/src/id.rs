//! New identifiers.

use chrono::{DateTime, Utc};
use domain::id::Id;
use rand::RngExt;
use ulid::Ulid;

/// Returns a new identifier that sorts by its time of creation.
#[must_use]
pub fn new_id<I: Id>(now: DateTime<Utc>) -> I {
    let milliseconds = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    let ulid = Ulid::from_parts(milliseconds, rand::rng().random());
    let Ok(id) = I::parse(&format!("{}{ulid}", I::PREFIX)) else { unreachable!("a prefix and a ULID are an id") };
    id
}
