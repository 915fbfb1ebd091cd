//! Lists, in pages.

use booking::Page;
use domain::id::{Id, PropertyId};
use http_input::cursor;
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use utoipa::{IntoParams, ToSchema};

use super::input::InvalidInput;
use crate::problem::{Problem, WrongField};

const LIMIT: std::ops::RangeInclusive<u16> = 1..=200;
const DEFAULT_LIMIT: u16 = 50;

/// One page of a list.
#[derive(Serialize, ToSchema)]
pub struct List<T> {
    data: Vec<T>,
    /// Send it as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

impl<T> List<T> {
    /// `next` is the id after which the next page begins.
    pub fn new(items: impl IntoIterator<Item = impl Into<T>>, next: Option<&str>) -> Self {
        Self { data: items.into_iter().map(Into::into).collect(), next_cursor: next.map(cursor::encode_cursor) }
    }
}

/// The page of a list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The page size, 50 by default.
    #[serde(default = "default_limit", deserialize_with = "limit")]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: u16,
    /// `next_cursor` of the page before.
    #[serde(default, deserialize_with = "cursor")]
    #[param(value_type = Option<String>, pattern = "^[A-Za-z0-9_-]{40}$")]
    cursor: Option<String>,
}

impl PageQuery {
    /// Returns the page of a list whose items have ids of this kind.
    ///
    /// # Errors
    /// If the cursor is not one of such a list.
    pub fn page<I: Id>(self) -> Result<Page, Problem> {
        if self.cursor.as_deref().is_some_and(|id| I::parse(id).is_err()) {
            return Err(Problem::invalid([WrongField::new("cursor", NOT_A_CURSOR.code, NOT_A_CURSOR.detail)]));
        }
        Ok(Page { limit: self.limit, after: self.cursor })
    }
}

const NOT_A_CURSOR: InvalidInput = InvalidInput {
    code: "not_a_cursor",
    detail: "Send the next_cursor of the previous page unchanged, or leave it out.",
};

/// Returns the text of the id in a cursor.
fn cursor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    cursor::decode_text(&text).map(Some).ok_or_else(|| Error::custom(NOT_A_CURSOR))
}

fn default_limit() -> u16 {
    DEFAULT_LIMIT
}

fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    const INVALID: InvalidInput = InvalidInput { code: "out_of_range", detail: "Ask for 1 to 200 at a time." };
    let text = String::deserialize(deserializer)?;
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|limit| is_number && LIMIT.contains(limit)).ok_or_else(|| Error::custom(INVALID))
}

/// The property that has to be named.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PropertyQuery {
    /// The property's id.
    #[param(value_type = String, example = "prp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    pub property_id: PropertyId,
}
