//! Reading and inserting rows.

use sea_orm::{DbErr, SqlErr};

use crate::SqlError;

/// Reads a value that this program once wrote.
///
/// # Errors
/// [`SqlError::Unreadable`] if it was not parsed.
pub fn readable<T, E>(what: &'static str, value: &str, parsed: Result<T, E>) -> Result<T, SqlError> {
    parsed.map_err(|_| SqlError::Unreadable { what, value: value.to_owned() })
}

/// Returns whether a row was inserted, or false if it would violate a constraint that `is_expected` accepts.
///
/// # Errors
/// If the database fails in another way.
pub fn insert_unless<T>(inserted: Result<T, DbErr>, is_expected: impl Fn(&SqlErr) -> bool) -> Result<bool, SqlError> {
    match inserted {
        Ok(_) => Ok(true),
        Err(error) if error.sql_err().is_some_and(|violation| is_expected(&violation)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
