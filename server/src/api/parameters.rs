//! The query of a request, read one parameter at a time, with all that is wrong collected.

use axum::{
    extract::{FromRequestParts, Path},
    http::{Uri, request::Parts},
};
use chrono::NaiveDate;
use domain::id::{Id, PropertyId};

use super::cursor;
use crate::problem::{Code, Problem, WrongField};

const LIMIT: std::ops::RangeInclusive<u16> = 1..=200;
const DEFAULT_LIMIT: u16 = 50;

/// Parameters as they were sent, and what is wrong with those that were read.
pub struct Parameters {
    pairs: Vec<(String, String)>,
    errors: Vec<WrongField>,
}

/// The id in a path. One that is not even UTF-8 names nothing.
pub struct PathId(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = Path::<String>::from_request_parts(parts, state).await;
        id.map(|Path(id)| Self(id)).map_err(|_| Code::NotFound.into())
    }
}

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::from_uri(&parts.uri))
    }
}

impl Parameters {
    pub fn from_uri(uri: &Uri) -> Self {
        Self::parse(uri.query().unwrap_or_default().as_bytes())
    }

    /// Parameters as queries and forms write them, which is as anything at all.
    pub fn parse(text: &[u8]) -> Self {
        Self { pairs: form_urlencoded::parse(text).into_owned().collect(), errors: Vec::new() }
    }

    /// The names that were sent.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|(name, _)| name.as_str())
    }

    pub fn first(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub fn reject(&mut self, field: &str, code: &str, detail: impl Into<String>) {
        self.errors.push(WrongField { field: field.to_owned(), code: code.to_owned(), detail: detail.into() });
    }

    /// A parameter that may be left out, but not sent twice.
    pub fn single(&mut self, name: &str) -> Option<String> {
        let mut values = self.pairs.iter().filter(|(own, _)| own == name).map(|(_, value)| value.clone());
        let (first, more) = (values.next(), values.next().is_some());
        if more {
            self.reject(name, "sent_twice", format!("Send {name} once."));
            return None;
        }
        first
    }

    pub fn required(&mut self, name: &str, detail: &str) -> Option<String> {
        let found = self.single(name);
        let is_reported = self.errors.iter().any(|error| error.field == name);
        if found.is_none() && !is_reported {
            self.reject(name, "required", detail);
        }
        found
    }

    /// The property that has to be named. The evaluator has seen that there is such a one.
    pub fn property(&mut self) -> Option<PropertyId> {
        let named = self.required("property_id", "Name the property: property_id=prp_…")?;
        PropertyId::parse(&named).ok()
    }

    pub fn optional_property(&mut self) -> Option<PropertyId> {
        let named = self.single("property_id")?;
        PropertyId::parse(&named).ok()
    }

    pub fn date(&mut self, name: &str) -> Option<NaiveDate> {
        let text = self.required(name, &format!("Name a day: {name}=2027-01-31"))?;
        let date = parse_date(&text);
        if date.is_none() {
            self.reject(name, "not_a_date", "Write the day as year-month-day, for example 2027-01-31.");
        }
        date
    }

    /// Which part of a list of these is asked for.
    pub fn page<I: Id>(&mut self) -> Option<booking::Page> {
        let limit = self.limit();
        let after = self.cursor::<I>();
        Some(booking::Page { limit: limit?, after: after? })
    }

    fn limit(&mut self) -> Option<u16> {
        let Some(text) = self.single("limit") else { return Some(DEFAULT_LIMIT) };
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let limit = text.parse().ok().filter(|limit| is_number && LIMIT.contains(limit));
        if limit.is_none() {
            self.reject("limit", "out_of_range", "Ask for 1 to 200 at a time.");
        }
        limit
    }

    fn cursor<I: Id>(&mut self) -> Option<Option<String>> {
        let Some(text) = self.single("cursor") else { return Some(None) };
        let id = cursor::decode_cursor::<I>(&text);
        if id.is_none() {
            self.reject("cursor", "not_a_cursor", "Send next_cursor of the page before, as it was, or leave it out.");
        }
        id.map(|id| Some(id.as_str().to_owned()))
    }

    /// What was read, unless anything about it was wrong.
    ///
    /// # Errors
    /// Everything that was wrong.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Problem> {
        value.filter(|_| self.errors.is_empty()).ok_or_else(|| Problem::invalid(self.errors))
    }
}

/// `2027-01-31` and nothing else: chrono alone would take a sign and single digits.
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let is_plain = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| is_plain)
}
