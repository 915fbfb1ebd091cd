//! Latchkey's vocabulary as types, with the rules that belong to them.
//!
//! Compiled for both the server and the browser, so that a rule is written once. No IO, no clock and no randomness:
//! callers pass in the time.

pub mod audit;
pub mod audit_query;
pub mod caller;
pub mod cluster;
pub mod digest;
pub mod ensured;
pub mod expiration;
pub mod field;
pub mod group;
pub mod id;
pub mod key;
pub mod key_draft;
pub mod key_list;
pub mod key_record;
pub mod key_warning;
pub mod network;
pub mod origin;
pub mod pagination;
pub mod permission;
pub mod permission_catalog;
pub mod person;
pub mod property;
pub mod rate_limit;
pub mod role_permissions;
pub mod scope;
pub mod secret;
pub mod tenant;
pub mod text;
pub mod usage;
pub mod usage_record;
pub mod verdict;
#[cfg(feature = "time-zones")]
pub mod zone;
