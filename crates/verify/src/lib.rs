//! The hot path: decides whether a credential grants access, from a cache that is never stale.
//!
//! `evaluator` makes the decision, `lookup` finds the key in the `cache` or in the database, `cluster` keeps the caches of
//! all nodes correct, `rate_limit` and `usage` count. Nothing here uses SQL or HTTP: rows come through [`KeySource`] and
//! [`ClusterStore`], which the engine implements.

pub mod access_token;
pub mod cache;
pub mod clock;
pub mod cluster;
pub mod evaluator;
mod generation;
pub mod lookup;
pub mod rate_limit;
#[cfg(test)]
mod simulation;
pub mod usage;

pub use cache::{CachedKey, KeyCache, KeyTenant};
pub use clock::{Clock, DatabaseClock, Millis, Runtime};
pub use cluster::{ClusterStore, Lease, Node, await_acknowledgements};
pub use evaluator::{
    AccessQuery, AdmittedState, Decision, Evaluator, LegacyRefusal, Reason, Refusal, Requirement, TenantRef,
};
pub use lookup::{KeySource, LookUpError};
pub use rate_limit::Quota;
