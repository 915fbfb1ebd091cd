//! What a change was about, in words: made of whatever its use case wrote down.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{id::Id, key_draft::Choices};
use keyring::TimeZone;
use serde_json::{Map, Value};

use crate::times;

/// What stands for what is written down: times where the tenant is, and names for ids.
#[derive(Clone)]
pub(super) struct Words {
    pub(super) zone: TimeZone,
    names: HashMap<String, String>,
}

/// What there is to tell of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The fields that are not what they were.
    pub(super) differences: Vec<Difference>,
    /// Everything else.
    pub(super) facts: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) field: String,
    pub(super) before: String,
    pub(super) after: String,
}

impl Words {
    pub(super) fn new(zone: TimeZone, choices: &Choices) -> Self {
        let groups = choices.permission_source.groups().iter().map(|group| (group.id.to_string(), group.name.clone()));
        let properties =
            choices.properties.iter().map(|property| (property.id.as_str().to_owned(), property.name.clone()));
        Self { zone, names: groups.chain(properties).collect() }
    }

    fn of(&self, value: &Value) -> String {
        match value {
            Value::Null => "none".to_owned(),
            Value::Bool(true) => "yes".to_owned(),
            Value::Bool(false) => "no".to_owned(),
            Value::Number(number) => number.to_string(),
            Value::String(text) if text.is_empty() => "none".to_owned(),
            Value::String(text) => self.of_text(text),
            Value::Array(values) if values.is_empty() => "none".to_owned(),
            Value::Array(values) => values.iter().map(|value| self.of(value)).collect::<Vec<_>>().join(", "),
            Value::Object(fields) => fields.get("name").map_or_else(|| value.to_string(), |name| self.of(name)),
        }
    }

    fn of_text(&self, text: &str) -> String {
        if let Some(name) = self.names.get(text) {
            return name.clone();
        }
        match DateTime::parse_from_rfc3339(text) {
            Ok(instant) => times::day_or_exact(instant.with_timezone(&Utc), self.zone),
            Err(_) => text.lines().collect::<Vec<_>>().join(", "),
        }
    }
}

impl Told {
    /// `before` and `after` are compared; without the one, the other is told as it is.
    pub(super) fn by(detail: &Value, words: &Words) -> Self {
        let Value::Object(detail) = detail else { return Self::default() };
        let (before, after) = (detail.get("before").map(flat), detail.get("after").map(flat));
        let mut told = Self::default();
        match (before, after) {
            (Some(before), Some(after)) => told.differences = differences(&before, &after, words),
            (Some(alone), None) | (None, Some(alone)) => told.facts = facts(&alone, words),
            (None, None) => {}
        }
        let others: Map<String, Value> = detail
            .iter()
            .filter(|(name, _)| !["before", "after"].contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        told.facts.extend(facts(&flat(&Value::Object(others)), words));
        told
    }
}

/// The fields of something, those of what is inside it included, each with its name in words.
fn flat(value: &Value) -> Vec<(String, Value)> {
    let Value::Object(fields) = value else { return vec![("Value".to_owned(), value.clone())] };
    let field = |(name, value): (&String, &Value)| match value {
        Value::Object(_) => {
            let inner = flat(value).into_iter();
            inner.map(|(inner, value)| (format!("{}: {}", label(name), lower_first(&inner)), value)).collect()
        }
        _ => vec![(label(name), value.clone())],
    };
    fields.iter().flat_map(field).collect()
}

fn differences(before: &[(String, Value)], after: &[(String, Value)], words: &Words) -> Vec<Difference> {
    let find = |fields: &[(String, Value)], name: &str| {
        fields.iter().find(|(own, _)| own == name).map_or(Value::Null, |(_, value)| value.clone())
    };
    let added = after.iter().filter(|(name, _)| before.iter().all(|(own, _)| own != name));
    let names = before.iter().chain(added).map(|(name, _)| name);
    let pairs = names.map(|name| (name, find(before, name), find(after, name)));
    pairs
        .filter(|(_, before, after)| before != after)
        .map(|(name, before, after)| Difference {
            field: name.clone(),
            before: words.of(&before),
            after: words.of(&after),
        })
        .collect()
}

/// What is not there is not worth a line.
fn facts(fields: &[(String, Value)], words: &Words) -> Vec<(String, String)> {
    let is_something = |value: &Value| {
        !matches!(value, Value::Null)
            && value.as_str() != Some("")
            && value.as_array().is_none_or(|items| !items.is_empty())
    };
    let worth_a_line = fields.iter().filter(|(_, value)| is_something(value));
    worth_a_line.map(|(name, value)| (name.clone(), words.of(value))).collect()
}

/// `allowed_ips` as `Allowed IPs`
fn label(name: &str) -> String {
    let words: Vec<&str> = name
        .split('_')
        .map(|word| match word {
            "ip" => "IP",
            "ips" => "IPs",
            "api" => "API",
            "id" => "ID",
            "email" => "e-mail",
            other => other,
        })
        .collect();
    let words = words.join(" ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Within a line; what is written in capitals stays so.
fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use domain::key_draft::PermissionSource;
    use serde_json::json;

    use super::*;

    fn words() -> Words {
        let choices = Choices { permission_source: PermissionSource::Own(Vec::new()), properties: Vec::new() };
        let mut words = Words::new(TimeZone::named("Europe/Lisbon").unwrap(), &choices);
        words.names.insert("grp_1".to_owned(), "Booking".to_owned());
        words
    }

    fn told(detail: &Value) -> (Vec<[String; 3]>, Vec<(String, String)>) {
        let Told { differences, facts } = Told::by(detail, &words());
        (differences.into_iter().map(|told| [told.field, told.before, told.after]).collect(), facts)
    }

    #[test]
    fn only_what_differs_is_compared() {
        let (differences, facts) = told(&json!({
            "before": { "name": "PMS", "group": "grp_1", "allowed_ips": "10.0.0.1\n10.0.0.2", "write": false, "terms": { "expires_at": null } },
            "after": { "name": "PMS", "group": "grp_2", "allowed_ips": "", "write": true, "terms": { "expires_at": "2027-07-31T22:59:59.999Z" }, "owner": "per_1" },
            "grace": "one_hour",
        }));
        let expected = [
            ["Allowed IPs", "10.0.0.1, 10.0.0.2", "none"],
            ["Group", "Booking", "grp_2"],
            ["Terms: expires at", "none", "31 Jul 2027"],
            ["Write", "no", "yes"],
            ["Owner", "none", "per_1"],
        ];
        assert_eq!(differences, expected.map(|row| row.map(str::to_owned)));
        assert_eq!(facts, [("Grace".to_owned(), "one_hour".to_owned())]);
    }

    #[test]
    fn what_stands_alone_is_told_as_it_is() {
        let (differences, facts) = told(&json!({
            "after": { "email": "ana@acme.test", "groups": [{ "name": "Booking" }, "Old"], "nothing": null, "none": [], "empty": "" },
            "sessions_ended": 0,
        }));
        assert!(differences.is_empty());
        let expected = [("E-mail", "ana@acme.test"), ("Groups", "Booking, Old"), ("Sessions ended", "0")];
        assert_eq!(facts, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn anything_can_be_told() {
        for detail in [
            json!(null),
            json!({}),
            json!([1]),
            json!("text"),
            json!({ "before": 1 }),
            json!({ "before": { "a": {} }, "after": {} }),
        ] {
            let _ = told(&detail);
        }
        assert_eq!(told(&json!({ "before": 1, "after": 2 })).0, [["Value", "1", "2"].map(str::to_owned)]);
    }
}
