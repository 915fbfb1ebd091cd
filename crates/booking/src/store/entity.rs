//! The tables as SeaORM sees them. Values are kept as text here and become domain types in the stores.

pub(super) mod idempotency;
pub(super) mod package;
pub(super) mod reservation;
pub(super) mod service;
