//! The answers to calls with an idempotency key, which a repeated call gets once more.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    caller::Caller,
    digest::Sha256Hex,
    id::{ReservationId, TenantId},
};

use crate::occupancy::FullNight;

/// The retention of stored responses.
const ANSWER_TTL: TimeDelta = TimeDelta::hours(24);

/// Identifies a repeated call.
#[derive(Debug, Clone, Copy)]
pub struct Idempotency<'a> {
    pub key: &'a str,
    pub body: &'a [u8],
}

/// A call of a caller. Only the hash of its idempotency key is stored.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Call {
    pub(crate) tenant: TenantId,
    pub(crate) caller: String,
    pub(crate) key_sha256: String,
}

impl Call {
    pub(crate) fn of(caller: &Caller, idempotency: &Idempotency<'_>) -> Self {
        Self {
            tenant: caller.tenant.clone(),
            caller: caller.identity.to_string(),
            key_sha256: Sha256Hex::of(idempotency.key).as_str().to_owned(),
        }
    }
}

/// The answer to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Reserved(ReservationId),
    SoldOut(FullNight),
}

/// The answer to a call, with the hash of its body.
pub(crate) struct StoredAnswer {
    pub(crate) body_sha256: String,
    pub(crate) answer: Answer,
}

/// An answer from before this instant is forgotten.
pub(crate) fn forgotten_before(now: DateTime<Utc>) -> DateTime<Utc> {
    now - ANSWER_TTL
}
