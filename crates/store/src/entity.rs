//! The tables as SeaORM sees them. Values are kept as text here and become domain types in the stores.

pub(super) mod api_key;
pub(super) mod api_key_property;
pub(super) mod api_key_secret;
pub(super) mod audit_chain;
pub(super) mod audit_event;
pub(super) mod authorization_group;
pub(super) mod failed_attempt;
pub(super) mod installation;
pub(super) mod invitation;
pub(super) mod legacy_use;
pub(super) mod permission;
pub(super) mod person;
pub(super) mod person_group;
pub(super) mod property;
pub(super) mod recovery_code;
pub(super) mod session;
pub(super) mod tenant;
pub(super) mod usage_event;
pub(super) mod usage_hour;
