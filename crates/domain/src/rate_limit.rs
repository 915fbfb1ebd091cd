//! Rate limits, in requests a minute.

use serde::{Deserialize, Serialize};

use crate::field::{Field, FieldError};

/// Between 1 and 1000 requests a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct RateLimit(u16);

impl RateLimit {
    pub const MIN: u16 = 1;
    pub const MAX: u16 = 1000;
    pub const DEFAULT: Self = Self(60);

    #[must_use]
    pub const fn per_minute(self) -> u16 {
        self.0
    }

    /// Reads the limit as it is typed.
    ///
    /// # Errors
    /// If it is no whole number, or out of range.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let refused = |code, detail: &str| FieldError::new(Field::RateLimitPerMinute, code, detail);
        let text = text.trim();
        if text.is_empty() {
            return Err(refused("required", "Enter how many requests a minute the key may make, from 1 to 1000."));
        }
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number {
            return Err(refused("not_a_number", "Enter a whole number from 1 to 1000."));
        }
        let out_of_range = || refused("out_of_range", "The limit must be between 1 and 1000 requests a minute.");
        let limit: u16 = text.parse().map_err(|_| out_of_range())?;
        Self::try_from(limit).map_err(|_| out_of_range())
    }
}

impl TryFrom<u16> for RateLimit {
    type Error = &'static str;

    fn try_from(limit: u16) -> Result<Self, Self::Error> {
        if (Self::MIN..=Self::MAX).contains(&limit) {
            Ok(Self(limit))
        } else {
            Err("a rate limit is between 1 and 1000")
        }
    }
}

impl From<RateLimit> for u16 {
    fn from(limit: RateLimit) -> u16 {
        limit.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_whole_numbers_from_1_to_1000() {
        for (text, expected) in [("1", 1), (" 60 ", 60), ("1000", 1000), ("007", 7)] {
            assert_eq!(RateLimit::parse(text).unwrap().per_minute(), expected);
        }
        for (text, code) in [
            ("", "required"),
            ("0", "out_of_range"),
            ("1001", "out_of_range"),
            ("99999999999", "out_of_range"),
            ("-1", "not_a_number"),
            ("1.5", "not_a_number"),
            ("many", "not_a_number"),
        ] {
            assert_eq!(RateLimit::parse(text).unwrap_err().code, code, "{text:?}");
        }
    }
}
