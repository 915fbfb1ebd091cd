//! A query of the audit log, as it appears in the console's URL.

use chrono::{Datelike, NaiveDate};

use crate::{
    audit::Action,
    field::{Field, FieldError, FieldErrors},
    id::{GroupId, Id, KeyId, PersonId, PropertyId, TenantId},
    pagination,
};

/// The page size of the audit log.
pub const AUDIT_PAGE_SIZE: usize = 50;

/// The longest name or id that is looked for; the rest of a longer one is cut.
const MAX_FILTER_CHARS: usize = 200;

/// The event at which a page of the log begins, by its sequence number.
pub type Start = pagination::Start<i64>;

/// Filters and page. Anything unknown in a URL means the default, so that an old link still opens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// The id of the actor.
    pub actor: Option<String>,
    pub action: Option<Action>,
    pub subject: Option<SubjectFilter>,
    /// The first day, where the tenant is.
    pub from: Option<NaiveDate>,
    /// The last day, where the tenant is.
    pub to: Option<NaiveDate>,
    pub start: Start,
}

/// The subject of the event, by its id or by a name that it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectFilter {
    Id(String),
    Name(String),
}

impl SubjectFilter {
    /// Returns None for an empty text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = cut(text)?;
        Some(if is_an_id(&text) { Self::Id(text) } else { Self::Name(text) })
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Id(text) | Self::Name(text) => text,
        }
    }
}

/// Returns whether the text is an id of a kind that appears in the log.
fn is_an_id(text: &str) -> bool {
    fn is<I: Id>(text: &str) -> bool {
        I::parse(text).is_ok()
    }
    [is::<KeyId>, is::<PersonId>, is::<PropertyId>, is::<GroupId>, is::<TenantId>].iter().any(|is| is(text))
}

fn cut(text: &str) -> Option<String> {
    let text: String = text.trim().chars().take(MAX_FILTER_CHARS).collect();
    (!text.is_empty()).then_some(text)
}

impl AuditQuery {
    /// Reads the parameters of a URL through a look-up by name.
    pub fn from_parameters<'a>(parameter: impl Fn(&str) -> Option<&'a str>) -> Self {
        let date = |name| parameter(name).and_then(|text| text.parse().ok());
        Self {
            actor: parameter("actor").and_then(cut),
            action: parameter("action").and_then(Action::parse),
            subject: parameter("subject").and_then(SubjectFilter::parse),
            from: date("from"),
            to: date("to"),
            start: Start::from_parameters(&parameter),
        }
    }

    /// Checks that a database can look for what the filters name.
    ///
    /// # Errors
    /// Names every filter that holds a control character, or a year that is not of four digits.
    pub fn check(&self) -> Result<(), FieldErrors> {
        let subject = self.subject.as_ref().map(SubjectFilter::as_str);
        let mut errors = FieldErrors::default();
        for (field, text) in [(Field::Actor, self.actor.as_deref()), (Field::Subject, subject)] {
            if text.is_some_and(|text| text.contains(char::is_control)) {
                errors.0.push(FieldError::new(field, "control_character", "Remove the invisible control characters."));
            }
        }
        for (field, date) in [(Field::From, self.from), (Field::To, self.to)] {
            if date.is_some_and(|date| !(1..=9999).contains(&date.year())) {
                errors.0.push(FieldError::new(field, "out_of_range", "Use a year from 1 to 9999."));
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The parameters that lead back here, defaults left out.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let Self { actor, action, subject, from, to, start } = self;
        let actor = actor.clone().map(|id| ("actor", id));
        let action = action.map(|action| ("action", action.to_string()));
        let subject = subject.as_ref().map(|wanted| ("subject", wanted.as_str().to_owned()));
        let (from, to) = (from.map(|date| ("from", date.to_string())), to.map(|date| ("to", date.to_string())));
        [actor, action, subject, from, to, start.parameter()].into_iter().flatten().collect()
    }

    /// The same filters, from another start.
    #[must_use]
    pub fn at(&self, start: Start) -> Self {
        Self { start, ..self.clone() }
    }

    #[must_use]
    pub fn is_filtered(&self) -> bool {
        self.at(Start::Newest) != Self::default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn query(parameters: &[(&str, String)]) -> AuditQuery {
        AuditQuery::from_parameters(|name| {
            parameters.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str())
        })
    }

    #[test]
    fn invalid_url_parameters_fall_back_to_the_default() {
        for (name, value) in [
            ("actor", "  "),
            ("action", "key.exploded"),
            ("subject", ""),
            ("from", "yesterday"),
            ("to", "2026-02-30"),
            ("before", "1.5"),
            ("after", "99999999999999999999"),
        ] {
            assert_eq!(query(&[(name, value.to_owned())]), AuditQuery::default(), "{name}={value}");
        }
        assert!(!query(&[("before", "7".to_owned())]).is_filtered());
        assert!(query(&[("to", "2026-11-21".to_owned())]).is_filtered());
    }

    #[test]
    fn filter_that_no_database_accepts_is_refused() {
        for (name, value, code) in [
            ("actor", "a\0b", "control_character"),
            ("subject", "a\0b", "control_character"),
            ("subject", "a\u{1b}b", "control_character"),
            ("from", "-0001-01-01", "out_of_range"),
            ("from", "0000-12-31", "out_of_range"),
            ("to", "+10000-01-01", "out_of_range"),
            ("to", "-262143-01-01", "out_of_range"),
        ] {
            let errors = query(&[(name, value.to_owned())]).check().unwrap_err();
            let found: Vec<_> = errors.0.iter().map(|error| (error.field.as_str(), error.code.as_str())).collect();
            assert_eq!(found, [(name, code)], "{value:?}");
        }
        let last = [("from", "0001-01-01".to_owned()), ("to", "9999-12-31".to_owned())];
        assert_eq!(query(&last).check(), Ok(()));
    }

    #[test]
    fn subject_is_found_by_id_or_name() {
        let id = "key_01JCQ4Y2V9ZK3T5N6R7S8W9XAB";
        assert_eq!(SubjectFilter::parse(&format!(" {id} ")), Some(SubjectFilter::Id(id.to_owned())));
        for name in ["PMS", "key_pms", "svc_01JCQ4Y2V9ZK3T5N6R7S8W9XAB"] {
            assert_eq!(SubjectFilter::parse(name), Some(SubjectFilter::Name(name.to_owned())));
        }
        assert_eq!(SubjectFilter::parse(&"x".repeat(300)).unwrap().as_str().len(), MAX_FILTER_CHARS);
    }

    fn dates() -> impl Strategy<Value = Option<NaiveDate>> {
        prop::option::of((0i32..40_000).prop_map(|day| NaiveDate::default() + chrono::Days::new(day as u64)))
    }

    proptest! {
        #[test]
        fn query_round_trips_through_its_url(
            actor in prop::option::of("[a-zA-Z0-9_]{1,40}"),
            action in prop::option::of(prop::sample::select(Action::ALL.to_vec())),
            subject in prop::option::of("[^ \\s](.{0,40}[^ \\s])?"),
            from in dates(),
            to in dates(),
            sequence: i64,
            start in 0usize..3,
        ) {
            let start = [Start::Newest, Start::Before(sequence), Start::After(sequence)][start];
            let subject = subject.as_deref().and_then(SubjectFilter::parse);
            let original = AuditQuery { actor, action, subject, from, to, start };
            prop_assert_eq!(query(&original.parameters()), original);
        }
    }
}
