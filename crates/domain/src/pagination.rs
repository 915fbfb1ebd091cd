//! Pages of a growing log. A page begins at an entry, not at an offset, so new entries do not shift it.

use std::{fmt::Display, str::FromStr};

/// The start of a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Start<P> {
    #[default]
    Newest,
    Before(P),
    After(P),
}

impl<P: FromStr + Display> Start<P> {
    /// Reads the parameters of a URL through a look-up by name. Anything unknown means the newest page.
    pub fn from_parameters<'a>(parameter: impl Fn(&str) -> Option<&'a str>) -> Self {
        let position = |name| parameter(name).and_then(|text| text.parse().ok());
        match (position("before"), position("after")) {
            (Some(position), _) => Self::Before(position),
            (None, Some(position)) => Self::After(position),
            (None, None) => Self::Newest,
        }
    }

    /// The parameter that leads back here.
    #[must_use]
    pub fn parameter(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Newest => None,
            Self::Before(position) => Some(("before", position.to_string())),
            Self::After(position) => Some(("after", position.to_string())),
        }
    }
}

/// An entry with a position in a log.
pub trait HasCursor {
    type Position: Copy;

    fn position(&self) -> Self::Position;
}

/// One page of a log, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub entries: Vec<T>,
    pub has_newer: bool,
    pub has_older: bool,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), has_newer: false, has_older: false }
    }
}

impl<T: HasCursor> Page<T> {
    /// Returns the start of the page with newer entries, if there is one.
    #[must_use]
    pub fn newer(&self) -> Option<Start<T::Position>> {
        self.entries.first().filter(|_| self.has_newer).map(|entry| Start::After(entry.position()))
    }

    /// Returns the start of the page with older entries, if there is one.
    #[must_use]
    pub fn older(&self) -> Option<Start<T::Position>> {
        self.entries.last().filter(|_| self.has_older).map(|entry| Start::Before(entry.position()))
    }
}
