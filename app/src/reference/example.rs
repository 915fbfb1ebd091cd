//! Example requests and responses, generated from a shape. Dates in them are relative to today.

use chrono::{Days, NaiveDate};
use serde_json::Value;

use super::shape::{Kind, Member, Shape, word};

/// The side of a call that an example stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Optional fields are left out, unless the document has an example for them.
    Request,
    /// Every field is present, possibly null.
    Response,
}

/// The first date in an example lies this far ahead, so that the call succeeds as it stands.
const FIRST_DAY: Days = Days::new(30);
const NIGHTS: Days = Days::new(2);

impl Shape {
    /// The example as indented JSON.
    pub(crate) fn example(&self, purpose: Purpose, today: NaiveDate) -> String {
        let mut writer = Writer { text: String::new(), next_day: today + FIRST_DAY, today, purpose };
        writer.value(self, 0);
        writer.text
    }

    /// The example for use in a URL, if the document has one.
    pub(crate) fn example_word(&self) -> Option<String> {
        self.example.as_ref().map(word)
    }
}

struct Writer {
    text: String,
    /// Dates in an example follow each other, as an arrival and a departure do.
    next_day: NaiveDate,
    today: NaiveDate,
    purpose: Purpose,
}

impl Writer {
    fn value(&mut self, shape: &Shape, depth: usize) {
        match (&shape.example, &shape.kind) {
            (Some(example), _) => self.text.push_str(&example.to_string()),
            (None, Kind::Object(_) | Kind::List(_)) if self.is_shown_as_null(shape) => self.text.push_str("null"),
            (None, Kind::Object(members)) => self.object(members, depth),
            (None, Kind::List(items)) if matches!(items.kind, Kind::Plain(_)) && items.example.is_none() => {
                self.text.push_str("[]");
            }
            (None, Kind::List(items)) => self.list(items, depth),
            (None, Kind::Plain(name)) => {
                let plain = self.plain(name, shape);
                self.text.push_str(&plain.to_string());
            }
        }
    }

    /// Nullable parts of a response without an example of their own are shown as null.
    fn is_shown_as_null(&self, shape: &Shape) -> bool {
        shape.is_nullable && self.purpose == Purpose::Response && !shape.has_example()
    }

    fn object(&mut self, members: &[Member], depth: usize) {
        let is_omitted =
            |member: &&Member| self.purpose == Purpose::Request && !member.is_required && !member.shape.has_example();
        let kept: Vec<&Member> = members.iter().filter(|member| !is_omitted(member)).collect();
        self.text.push('{');
        for (index, member) in kept.into_iter().enumerate() {
            self.line(index > 0, depth + 1);
            self.text.push_str(&format!("{}: ", Value::from(member.name.as_str())));
            self.value(&member.shape, depth + 1);
        }
        self.line(false, depth);
        self.text.push('}');
    }

    fn list(&mut self, items: &Shape, depth: usize) {
        self.text.push('[');
        self.line(false, depth + 1);
        self.value(items, depth + 1);
        self.line(false, depth);
        self.text.push(']');
    }

    fn line(&mut self, comma: bool, depth: usize) {
        self.text.push_str(if comma { ",\n" } else { "\n" });
        self.text.push_str(&"  ".repeat(depth));
    }

    fn plain(&mut self, name: &str, shape: &Shape) -> Value {
        match name {
            _ if shape.is_nullable => Value::Null,
            "date" => {
                let day = self.next_day;
                self.next_day = day + NIGHTS;
                Value::from(day.to_string())
            }
            "date-time" => Value::from(format!("{}T09:30:00.000Z", self.today)),
            "integer" | "number" => Value::from(1),
            "boolean" => Value::from(true),
            _ => Value::from("…"),
        }
    }
}

impl Shape {
    /// Returns true if the document has an example for it or for any part of it.
    fn has_example(&self) -> bool {
        let within = match &self.kind {
            Kind::Object(members) => members.iter().any(|member| member.shape.has_example()),
            Kind::List(items) => items.has_example(),
            Kind::Plain(_) => false,
        };
        self.example.is_some() || within
    }
}
