//! Lists: a page of items, and where the next one begins.

use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::cursor;

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
        Self { data: items.into_iter().map(Into::into).collect(), next_cursor: next.map(cursor::write) }
    }
}

/// Which part of a list is asked for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters, which are read one by one")]
pub struct ListParameters {
    /// How many at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]{40}$")]
    cursor: Option<String>,
}

/// The property that has to be named.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameter, which is read by hand")]
pub struct OfProperty {
    /// The property's id.
    #[param(example = "prp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    property_id: String,
}
