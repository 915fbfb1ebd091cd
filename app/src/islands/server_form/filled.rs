//! What is filled into a form, as its server function takes it.

use std::collections::BTreeMap;

use leptos::serde_json;
use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Value {
    Text(String),
    Tick(bool),
    Ticked(Vec<String>),
}

/// The fields of a form by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Filled(BTreeMap<String, Value>);

/// The field that a control is one of: `permissions[]` is one tick of the field `permissions`.
pub(super) fn field_of(control: &str) -> &str {
    control.strip_suffix("[]").unwrap_or(control)
}

impl Filled {
    pub(super) fn text(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), Value::Text(value));
    }

    pub(super) fn checkbox(&mut self, name: &str, value: String, is_checked: bool) {
        let field = field_of(name);
        if field == name {
            self.0.insert(name.to_owned(), Value::Tick(is_checked));
            return;
        }
        let entry = self.0.entry(field.to_owned()).or_insert_with(|| Value::Ticked(Vec::new()));
        if let (Value::Ticked(values), true) = (entry, is_checked) {
            values.push(value);
        }
    }

    /// One option of several. With none of them chosen, the field is empty.
    pub(super) fn radio(&mut self, name: &str, value: String, is_checked: bool) {
        if is_checked {
            self.text(name, value);
        } else {
            self.0.entry(name.to_owned()).or_insert_with(|| Value::Text(String::new()));
        }
    }

    pub(super) fn to_json(&self) -> String {
        // Maps of texts and ticks are always written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A text with what was filled in where it says `{field}`.
    pub(super) fn within(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| match value {
            Value::Text(value) => text.replace(&format!("{{{name}}}"), value.trim()),
            Value::Tick(_) | Value::Ticked(_) => text,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_control_has_its_json() {
        let mut filled = Filled::default();
        filled.text("name", "Harbour \"House\"".to_owned());
        filled.checkbox("is_on", String::new(), true);
        for (value, is_checked) in [("a", true), ("b", false), ("c", true)] {
            filled.checkbox("picked[]", value.to_owned(), is_checked);
            filled.radio("type", value.to_owned(), value == "b");
            filled.checkbox("none[]", value.to_owned(), false);
            filled.radio("nothing", value.to_owned(), false);
        }
        assert_eq!(
            filled.to_json(),
            r#"{"is_on":true,"name":"Harbour \"House\"","none":[],"nothing":"","picked":["a","c"],"type":"b"}"#
        );
    }

    #[test]
    fn texts_name_what_was_filled_in() {
        let mut filled = Filled::default();
        filled.text("name", " Old Town ".to_owned());
        assert_eq!(filled.within("Created “{name}”, not {other}."), "Created “Old Town”, not {other}.");
    }
}
