//! The only module of this crate that uses SQL and SeaORM.
//!
//! Every function takes the tenant, except those for the operator and the one that deletes old idempotency keys.

mod entity;
pub(crate) mod idempotency;
pub(crate) mod packages;
pub(crate) mod properties;
pub(crate) mod reservations;
pub(crate) mod services;

use sea_orm::DbErr;

pub(crate) use sql::{Pool, SqlError, WriteTransaction};
use sql::{insert_unless, readable};

use crate::Error;

impl From<DbErr> for Error {
    fn from(cause: DbErr) -> Self {
        SqlError::from(cause).into()
    }
}

pub(crate) type Result<T> = std::result::Result<T, SqlError>;

/// A number that is never negative.
fn readable_units(units: i32) -> Result<u32> {
    readable("a number of units", &units.to_string(), u32::try_from(units))
}

/// The number as the tables keep it; the rules keep every number far below.
fn units_column(units: u32) -> i32 {
    i32::try_from(units).unwrap_or(i32::MAX)
}
