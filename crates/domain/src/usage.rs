//! The usage of keys: counts by outcome for a chart, and the log of single calls.

use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

use chrono::{DateTime, NaiveDateTime, Utc};

use crate::{
    id::SecretId,
    key::Key,
    pagination::{self, HasCursor},
    person::Email,
    verdict::Verdict,
};

/// The retention of the call log, in days.
pub const LOG_DAYS: i64 = 30;

/// The page size of the call log.
pub const LOG_PAGE_SIZE: usize = 25;

/// The outcome of a call, in the categories of the chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    Allowed,
    RateLimited,
    Denied,
}

impl CallOutcome {
    pub const ALL: [Self; 3] = [Self::Allowed, Self::RateLimited, Self::Denied];
}

impl From<Verdict> for CallOutcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Valid => Self::Allowed,
            Verdict::RateLimited => Self::RateLimited,
            _ => Self::Denied,
        }
    }
}

/// The number of calls by outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutcomeCounts(BTreeMap<Verdict, u64>);

impl OutcomeCounts {
    pub fn add(&mut self, outcome: Verdict, count: u64) {
        if count > 0 {
            *self.0.entry(outcome).or_default() += count;
        }
    }

    /// The outcomes that occur, in the evaluator's order.
    pub fn outcomes(&self) -> impl Iterator<Item = Verdict> {
        self.0.keys().copied()
    }

    #[must_use]
    pub fn of(&self, outcome: Verdict) -> u64 {
        self.0.get(&outcome).copied().unwrap_or_default()
    }

    #[must_use]
    pub fn with(&self, fate: CallOutcome) -> u64 {
        self.0.iter().filter(|(outcome, _)| CallOutcome::from(**outcome) == fate).map(|(_, count)| count).sum()
    }

    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }
}

impl<'a> FromIterator<&'a OutcomeCounts> for OutcomeCounts {
    fn from_iter<I: IntoIterator<Item = &'a Self>>(counts: I) -> Self {
        let mut sum = Self::default();
        for (outcome, count) in counts.into_iter().flat_map(|counts| &counts.0) {
            sum.add(*outcome, *count);
        }
        sum
    }
}

/// The period of a chart and its step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Range {
    /// The last 24 hours, an hour each.
    #[default]
    Day,
    /// The last 30 days, a day each.
    Month,
}

impl Range {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Month => "30d",
        }
    }

    /// Returns the number of steps.
    #[must_use]
    pub const fn steps(self) -> usize {
        match self {
            Self::Day => 24,
            Self::Month => 30,
        }
    }
}

/// One step of a chart: an hour or a day, by when it begins where the tenant is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub begins: NaiveDateTime,
    pub counts: OutcomeCounts,
}

/// The position of a call in the log. Calls of the same instant differ by their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub at: DateTime<Utc>,
    pub number: i64,
}

/// The text is not a position in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsePositionError;

impl FromStr for Position {
    type Err = ParsePositionError;

    fn from_str(text: &str) -> Result<Self, ParsePositionError> {
        let (at, number) = text.split_once('-').ok_or(ParsePositionError)?;
        let at = at.parse().ok().and_then(DateTime::from_timestamp_micros).ok_or(ParsePositionError)?;
        Ok(Self { at, number: number.parse().map_err(|_| ParsePositionError)? })
    }
}

/// Its name in a URL.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.at.timestamp_micros(), self.number)
    }
}

/// The start of a page of the log.
pub type Start = pagination::Start<Position>;

/// The query of a key's page. Unknown values in a URL mean the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UsageQuery {
    pub range: Range,
    pub outcome: Option<Verdict>,
    pub start: Start,
}

impl UsageQuery {
    /// Reads the parameters of a URL through a look-up by name.
    pub fn from_parameters<'a>(parameter: impl Fn(&str) -> Option<&'a str>) -> Self {
        let range = if parameter("range") == Some(Range::Month.as_str()) { Range::Month } else { Range::Day };
        let start = Start::from_parameters(&parameter);
        Self { range, outcome: parameter("outcome").and_then(Verdict::parse), start }
    }

    /// The parameters that lead back here, defaults left out.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let range = (self.range != Range::default()).then(|| ("range", self.range.as_str().to_owned()));
        let outcome = self.outcome.map(|outcome| ("outcome", outcome.to_string()));
        [range, outcome, self.start.parameter()].into_iter().flatten().collect()
    }
}

/// One call with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub position: Position,
    pub method: String,
    pub route: String,
    pub status: u16,
    pub outcome: Verdict,
    /// None if a verifier did not pass the client's address.
    pub ip: Option<String>,
    /// The secret that was used. Older calls have none, and neither of the two below.
    pub secret_id: Option<SecretId>,
    pub request_id: Option<String>,
    /// The time from the request's arrival until its response was ready.
    pub duration: Option<Duration>,
}

impl HasCursor for Call {
    type Position = Position;

    fn position(&self) -> Position {
        self.position
    }
}

/// One page of the log.
pub type LogPage = pagination::Page<Call>;

/// A key with what it was used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUsage {
    pub key: Key,
    /// The chart, oldest step first.
    pub steps: Vec<Step>,
    /// All calls of the last 30 days, independently of the chart's range.
    pub lately: OutcomeCounts,
    pub log: LogPage,
}

/// The ways to call the API with a person's own password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LegacyMethod {
    Basic,
    Jwt,
}

impl LegacyMethod {
    pub const ALL: [Self; 2] = [Self::Basic, Self::Jwt];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Jwt => "jwt",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }
}

/// A person who does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyUser {
    pub name: String,
    pub email: Email,
    pub method: LegacyMethod,
    pub first_seen_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn query(parameters: &[(&str, String)]) -> UsageQuery {
        UsageQuery::from_parameters(|name| {
            parameters.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str())
        })
    }

    #[test]
    fn counts_sum_by_verdict_and_outcome() {
        let mut morning = OutcomeCounts::default();
        morning.add(Verdict::RateLimited, 3);
        morning.add(Verdict::Valid, 10);
        morning.add(Verdict::Expired, 0);
        let mut evening = OutcomeCounts::default();
        evening.add(Verdict::Valid, 5);
        evening.add(Verdict::Revoked, 2);
        evening.add(Verdict::IpNotAllowed, 1);
        let day: OutcomeCounts = [&morning, &evening].into_iter().collect();
        assert_eq!((day.total(), day.of(Verdict::Valid), day.of(Verdict::Expired)), (21, 15, 0));
        assert_eq!(CallOutcome::ALL.map(|fate| day.with(fate)), [15, 3, 3]);
        let outcomes: Vec<Verdict> = day.outcomes().collect();
        assert_eq!(outcomes, [Verdict::Valid, Verdict::Revoked, Verdict::IpNotAllowed, Verdict::RateLimited]);
    }

    #[test]
    fn invalid_url_parameters_fall_back_to_the_default() {
        for (name, value) in [
            ("range", "7d"),
            ("outcome", "valid"),
            ("before", "x-1"),
            ("before", "1"),
            ("after", "1-"),
            ("after", "9223372036854775807-1"),
        ] {
            assert_eq!(query(&[(name, value.to_owned())]), UsageQuery::default(), "{name}={value}");
        }
    }

    proptest! {
        #[test]
        fn query_round_trips_through_its_url(
            month: bool,
            outcome in prop::option::of(prop::sample::select(Verdict::ALL.to_vec())),
            micros in 0i64..4_000_000_000_000_000,
            number in 0i64..,
            start in 0usize..3,
        ) {
            let at = DateTime::from_timestamp_micros(micros).unwrap();
            let position = Position { at, number };
            let start = [Start::Newest, Start::Before(position), Start::After(position)][start];
            let original = UsageQuery { range: if month { Range::Month } else { Range::Day }, outcome, start };
            prop_assert_eq!(query(&original.parameters()), original);
        }
    }
}
