//! The memory that a cached key takes.

use std::mem::{size_of, size_of_val};

use domain::{digest::SecretHash, property::PropertyScope};

use super::CachedKey;
use crate::usage::UsageCounter;

/// The memory that the maps use for a key, its usage counter and its calls of the last minute.
const OVERHEAD_BYTES: usize = 160;

/// A key with a short name and nothing special about it.
pub(super) const TYPICAL_BYTES: u64 =
    (size_of::<CachedKey>() + size_of::<UsageCounter>() + size_of::<SecretHash>() + OVERHEAD_BYTES) as u64;

pub(super) fn weight_of(cached_key: &CachedKey) -> u64 {
    TYPICAL_BYTES + (cached_key.name.len() + owner(cached_key) + properties(cached_key) + allowlists(cached_key)) as u64
}

fn owner(cached_key: &CachedKey) -> usize {
    cached_key.owner.as_deref().map_or(0, |owner| size_of_val(owner) + owner.name.len())
}

fn properties(cached_key: &CachedKey) -> usize {
    match &cached_key.reach {
        PropertyScope::All => 0,
        PropertyScope::Only(ids) => size_of_val(ids.as_slice()),
    }
}

fn allowlists(cached_key: &CachedKey) -> usize {
    let origins = cached_key.allowed_origins.iter().map(|origin| size_of_val(origin) + origin.as_str().len());
    origins.sum::<usize>() + cached_key.allowed_ips.bytes()
}
