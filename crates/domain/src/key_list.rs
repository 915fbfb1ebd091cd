//! The query of a key list, as it appears in the console's URL, and its result.

use serde::{Deserialize, Serialize};

use crate::{
    key::{Key, Status, Validity},
    key_warning::KeyWarning,
};

/// The page size of the key list.
pub const PAGE_SIZE: u32 = 25;

/// The longest search that is looked for; the rest of a longer one is cut.
const MAX_SEARCH_CHARS: usize = 200;

/// Filters, order and page. Anything unknown in a URL means the default, so that an old link still opens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyListQuery {
    pub status: Option<Status>,
    pub validity: Option<Validity>,
    pub attention: Option<KeyWarning>,
    pub search: String,
    pub sort: Sort,
    /// The first page is 0 here, and 1 in the URL.
    pub page: u32,
}

/// A column to sort by, and which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    pub column: Column,
    pub descending: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Name,
    Created,
    Expires,
    LastUsed,
}

impl Default for Sort {
    fn default() -> Self {
        Self { column: Column::Created, descending: true }
    }
}

impl Column {
    pub const ALL: [Self; 4] = [Self::Name, Self::Created, Self::Expires, Self::LastUsed];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Created => "created",
            Self::Expires => "expires",
            Self::LastUsed => "last_used",
        }
    }

    /// The way a column is sorted when it is first chosen: names from A, times from the latest, expirations from the next.
    const fn descending_at_first(self) -> bool {
        matches!(self, Self::Created | Self::LastUsed)
    }
}

impl KeyListQuery {
    /// Reads the parameters of a URL through a look-up by name.
    pub fn from_parameters<'a>(parameter: impl Fn(&str) -> Option<&'a str>) -> Self {
        let status = match parameter("status") {
            Some("active") => Some(Status::Active),
            Some("revoked") => Some(Status::Revoked),
            _ => None,
        };
        let validity = match parameter("expiration") {
            Some("valid") => Some(Validity::Valid),
            Some("expiring_soon") => Some(Validity::ExpiringSoon),
            Some("expired") => Some(Validity::Expired),
            _ => None,
        };
        let attention = parameter("attention").and_then(KeyWarning::parse);
        let typed = parameter("q").unwrap_or_default().trim().chars();
        // No name holds a control character, and not every database can be asked for one.
        let search = typed.filter(|c| !c.is_control()).take(MAX_SEARCH_CHARS).collect();
        let page =
            parameter("page").and_then(|page| page.parse::<u32>().ok()).unwrap_or(1).clamp(1, u32::MAX / PAGE_SIZE) - 1;
        let sort = Sort::from_parameter(parameter("sort").unwrap_or_default());
        Self { status, validity, attention, search, sort, page }
    }

    /// The parameters that lead back here, defaults left out.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let status = self.status.map(|status| match status {
            Status::Active => "active",
            Status::Revoked => "revoked",
        });
        let validity = self.validity.map(|validity| match validity {
            Validity::Valid => "valid",
            Validity::ExpiringSoon => "expiring_soon",
            Validity::Expired => "expired",
        });
        let sort = (self.sort != Sort::default()).then(|| self.sort.parameter());
        let search = (!self.search.is_empty()).then(|| self.search.clone());
        let page = (self.page > 0).then(|| (self.page + 1).to_string());
        [
            ("q", search),
            ("status", status.map(str::to_owned)),
            ("expiration", validity.map(str::to_owned)),
            ("attention", self.attention.map(|attention| attention.as_str().to_owned())),
            ("sort", sort),
            ("page", page),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }

    /// Returns true if a filter is set.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        self.status.is_some() || self.validity.is_some() || self.attention.is_some() || !self.search.is_empty()
    }

    /// The same list from its first page, sorted by a column: the other way round when it already is.
    #[must_use]
    pub fn sorted_by(&self, column: Column) -> Self {
        let descending = if self.sort.column == column { !self.sort.descending } else { column.descending_at_first() };
        Self { sort: Sort { column, descending }, page: 0, ..self.clone() }
    }

    #[must_use]
    pub fn on_page(&self, page: u32) -> Self {
        Self { page, ..self.clone() }
    }
}

impl Sort {
    fn from_parameter(text: &str) -> Self {
        let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        let column = Column::ALL.into_iter().find(|column| column.as_str() == name);
        column.map_or_else(Self::default, |column| Self { column, descending })
    }

    /// Its name in a URL.
    #[must_use]
    pub fn parameter(self) -> String {
        format!("{}{}", if self.descending { "-" } else { "" }, self.column.as_str())
    }
}

/// One page of keys, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPage {
    pub keys: Vec<Key>,
    /// The number of keys that match the filters, on all pages.
    pub matching: u64,
    /// The number of the tenant's keys, including revoked ones.
    pub total: u64,
    /// The number of keys that count towards the limit.
    pub active: u64,
}

impl KeyPage {
    /// Returns the number of pages, at least one.
    #[must_use]
    pub fn pages(&self) -> u32 {
        let pages = self.matching.div_ceil(u64::from(PAGE_SIZE)).max(1);
        u32::try_from(pages).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn query(parameters: &[(&str, String)]) -> KeyListQuery {
        KeyListQuery::from_parameters(|name| {
            parameters.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str())
        })
    }

    #[test]
    fn invalid_url_parameters_fall_back_to_the_default() {
        let text = |value: &str| value.to_owned();
        let nonsense = [
            ("status", text("x")),
            ("expiration", text("")),
            ("attention", text("all")),
            ("sort", text("-id")),
            ("page", text("-3")),
            ("q", text("  ")),
        ];
        assert_eq!(query(&nonsense), KeyListQuery::default());
        assert_eq!(query(&[("page", text("0"))]).page, 0);
        assert_eq!(query(&[("page", text("4294967295"))]).page, u32::MAX / PAGE_SIZE - 1);
    }

    #[test]
    fn choosing_a_column_twice_reverses_the_order() {
        let by_name = KeyListQuery { page: 3, ..KeyListQuery::default() }.sorted_by(Column::Name);
        assert_eq!((by_name.sort.parameter().as_str(), by_name.page), ("name", 0));
        assert_eq!(by_name.sorted_by(Column::Name).sort.parameter(), "-name");
        assert_eq!(by_name.sorted_by(Column::LastUsed).sort.parameter(), "-last_used");
    }

    proptest! {
        #[test]
        fn query_round_trips_through_its_url(
            status in prop::option::of(prop_oneof![Just(Status::Active), Just(Status::Revoked)]),
            validity in prop::option::of(prop_oneof![Just(Validity::Valid), Just(Validity::ExpiringSoon), Just(Validity::Expired)]),
            attention in prop::option::of(prop::sample::select(KeyWarning::ALL.to_vec())),
            search in "[a-z%_ äö]{0,20}",
            column in 0usize..4,
            descending: bool,
            page in 0u32..1000,
        ) {
            let sort = Sort { column: Column::ALL[column], descending };
            let original = KeyListQuery { status, validity, attention, search: search.trim().to_owned(), sort, page };
            prop_assert_eq!(query(&original.parameters()), original);
        }
    }
}
