//! Expirations, as people type them and as the server stores them.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use crate::field::{Field, FieldError};

/// The presets that the console offers, in days from today.
pub const PRESET_DAYS: [u64; 3] = [30, 90, 365];

const LAST_YEAR: i32 = 9999;

/// One instant, as the world's clock and the tenant's wall clock show it.
///
/// Time zones are known on the server alone: their tables would outweigh the rest of the browser side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "[i64; 2]", into = "[i64; 2]")]
pub struct ExpiresAt {
    pub utc: DateTime<Utc>,
    pub local: NaiveDateTime,
}

/// On the wire, both clocks in milliseconds: reading times as text would cost the browser more than it says.
impl From<ExpiresAt> for [i64; 2] {
    fn from(moment: ExpiresAt) -> Self {
        [moment.utc.timestamp_millis(), moment.local.and_utc().timestamp_millis()]
    }
}

impl TryFrom<[i64; 2]> for ExpiresAt {
    type Error = &'static str;

    fn try_from([utc, local]: [i64; 2]) -> Result<Self, Self::Error> {
        let time = |milliseconds| DateTime::from_timestamp_millis(milliseconds).ok_or("out of range");
        Ok(Self { utc: time(utc)?, local: time(local)?.naive_utc() })
    }
}

impl ExpiresAt {
    /// The same clocks some milliseconds later.
    #[must_use]
    pub fn later(self, milliseconds: i64) -> Self {
        let passed = chrono::TimeDelta::milliseconds(milliseconds);
        Self { utc: self.utc + passed, local: self.local + passed }
    }

    /// The date some days from now, where the tenant is.
    #[must_use]
    pub fn in_days(self, days: u64) -> NaiveDate {
        self.local.date() + Days::new(days)
    }
}

/// An expiration as it is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpirationDraft {
    #[default]
    Never,
    /// A date such as `2027-01-31`: the key works to the end of that day where the tenant is.
    EndOfDay(String),
    /// A date and time such as `2027-01-31T18:00`, where the tenant is.
    At(String),
    /// An instant with its offset, RFC 3339.
    Instant(String),
}

/// An expiration that is in the future.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiration {
    Never,
    EndOfDay(NaiveDate),
    At(NaiveDateTime),
    Instant(DateTime<Utc>),
}

fn refused(code: &str, detail: &str) -> FieldError {
    FieldError::new(Field::ExpiresAt, code, detail)
}

impl ExpirationDraft {
    /// Reads what was typed and checks that it is still to come.
    ///
    /// # Errors
    /// If it is no date or time, or not in the future.
    pub fn parse(&self, now: ExpiresAt) -> Result<Expiration, FieldError> {
        let (expiration, year, is_future) = match self {
            Self::Never => return Ok(Expiration::Never),
            Self::EndOfDay(text) => {
                let date = parse_date(text)?;
                (Expiration::EndOfDay(date), date.year(), date >= now.local.date())
            }
            Self::At(text) => {
                let time = parse_local_time(text)?;
                (Expiration::At(time), time.year(), time > now.local)
            }
            Self::Instant(text) => {
                let instant = parse_instant(text)?;
                (Expiration::Instant(instant), instant.year(), instant > now.utc)
            }
        };
        if !is_future {
            return Err(refused("in_the_past", "Choose a date in the future: a key that has expired cannot be used."));
        }
        if year > LAST_YEAR {
            return Err(refused("too_late", "Choose a year up to 9999, or let the key never expire."));
        }
        Ok(expiration)
    }
}

fn parse_date(text: &str) -> Result<NaiveDate, FieldError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(refused("required", "Pick the day on which the key stops working, or choose “Never”."));
    }
    read_date(text).ok_or_else(|| refused("not_a_date", "Enter the date as year-month-day, for example 2027-01-31."))
}

/// Parses a number of exactly this many digits, or of at least four for a year.
fn digits(text: &str, count: usize) -> Option<u32> {
    let fits = text.len() == count || (count == 4 && (4..=6).contains(&text.len()));
    (fits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn read_date(text: &str) -> Option<NaiveDate> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let year = i32::try_from(digits(year, 4)?).ok()?;
    NaiveDate::from_ymd_opt(year, digits(month, 2)?, digits(day, 2)?).filter(|_| parts.next().is_none())
}

/// `2027-01-31T18:00`, with seconds or without.
fn read_local_time(text: &str) -> Option<NaiveDateTime> {
    let (date, time) = text.split_once('T')?;
    let mut parts = time.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next().unwrap_or("00"));
    let time = NaiveTime::from_hms_opt(digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?);
    Some(read_date(date)?.and_time(time?)).filter(|_| parts.next().is_none())
}

fn parse_local_time(text: &str) -> Result<NaiveDateTime, FieldError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(refused("required", "Pick the day and time at which the key stops working, or choose “Never”."));
    }
    read_local_time(text).ok_or_else(|| refused("not_a_time", "Enter day and time, for example 2027-01-31T18:00."))
}

fn parse_instant(text: &str) -> Result<DateTime<Utc>, FieldError> {
    DateTime::parse_from_rfc3339(text.trim())
        .map(|instant| instant.to_utc())
        .map_err(|_| refused("not_a_time", "Write the instant as in RFC 3339, for example 2027-01-31T00:00:00Z."))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noon on 21 November 2026 in UTC is past midnight in Auckland.
    fn now() -> ExpiresAt {
        ExpiresAt { utc: "2026-11-21T12:00:00Z".parse().unwrap(), local: "2026-11-22T01:00:00".parse().unwrap() }
    }

    #[test]
    fn expiration_round_trips_through_json() {
        let wire = serde_json::to_string(&now()).unwrap();
        assert_eq!(serde_json::from_str::<ExpiresAt>(&wire).unwrap(), now());
    }

    #[test]
    fn days_and_times_are_in_the_tenants_time_zone() {
        let code = |draft: ExpirationDraft| draft.parse(now()).map_err(|error| error.code);
        let day = |text: &str| ExpirationDraft::EndOfDay(text.into());
        let at = |text: &str| ExpirationDraft::At(text.into());
        let instant = |text: &str| ExpirationDraft::Instant(text.into());
        assert_eq!(code(ExpirationDraft::Never), Ok(Expiration::Never));
        assert!(code(day("2026-11-22")).is_ok(), "today has not ended");
        assert!(code(at("2026-11-22T01:01")).is_ok());
        assert!(code(instant("2026-11-21T13:00:00+00:30")).is_ok());
        for (draft, expected) in [
            (day("2026-11-21"), "in_the_past"),
            (day(""), "required"),
            (day("31.01.2027"), "not_a_date"),
            (day("2027-02-29"), "not_a_date"),
            (day("2027-1-31"), "not_a_date"),
            (day("2027-01-31-01"), "not_a_date"),
            (day("+2027-01-31"), "not_a_date"),
            (day("10000-01-01"), "too_late"),
            (at("2026-11-22T01:00"), "in_the_past"),
            (at("2026-11-22"), "not_a_time"),
            (at("2026-11-22T24:00"), "not_a_time"),
            (at("2026-11-22T18"), "not_a_time"),
            (at("2026-11-22T18:00:00:00"), "not_a_time"),
            (at(" "), "required"),
            (instant("2026-11-21T12:00:00Z"), "in_the_past"),
            (instant("2026-11-21"), "not_a_time"),
        ] {
            assert_eq!(code(draft.clone()), Err(expected.to_owned()), "{draft:?}");
        }
    }
}
