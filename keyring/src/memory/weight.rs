//! How much memory a key takes.

use std::mem::{size_of, size_of_val};

use domain::property::Reach;

use super::Tally;
use crate::{evaluator::Standing, secret::SecretHash};

/// What the maps take around a key, its tally and its calls of the last minute.
const AROUND: usize = 160;

/// A key with a short name and nothing special about it.
pub(super) const USUAL: u64 = (size_of::<Standing>() + size_of::<Tally>() + size_of::<SecretHash>() + AROUND) as u64;

pub(super) fn of(standing: &Standing) -> u64 {
    USUAL + (standing.name.len() + owner(standing) + properties(standing) + allowlists(standing)) as u64
}

fn owner(standing: &Standing) -> usize {
    standing.owner.as_deref().map_or(0, |owner| size_of_val(owner) + owner.name.len())
}

fn properties(standing: &Standing) -> usize {
    match &standing.reach {
        Reach::All => 0,
        Reach::Only(ids) => size_of_val(ids.as_slice()),
    }
}

fn allowlists(standing: &Standing) -> usize {
    let origins = standing.allowed_origins.iter().map(|origin| size_of_val(origin) + origin.as_str().len());
    origins.sum::<usize>() + standing.allowed_ips.bytes()
}
