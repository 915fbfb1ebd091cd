//! JSON bodies, parsed field by field, so that all errors are reported together.

use std::{collections::HashMap, error::Error as _, fmt};

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, HeaderValue, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use chrono::NaiveDate;
use http_body_util::LengthLimitError;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::parameters::parse_date;
use crate::{
    problem::{Code, Problem, WrongField},
    redact,
};

const APPLICATION_JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The longest body of an API call or a form, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Enough bytes for the response about most keys.
const TYPICAL_RESPONSE_BYTES: usize = 1024;

/// The number of headers that are added on the way out.
const TYPICAL_HEADERS: usize = 12;

/// A body that is an object.
pub struct Json {
    pub bytes: Bytes,
    fields: Map<String, Value>,
}

/// What a body is read into.
pub trait FromFields: Sized {
    /// None when anything was missing or wrong, which the fields remember.
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self>;
}

/// Reads a body.
///
/// # Errors
/// If it is too long, of another type, no JSON, or no object.
pub async fn read_json(headers: &HeaderMap, body: Body) -> Result<Json, Problem> {
    object(json(headers, body).await?)
}

/// The bytes of a body that says it is JSON.
///
/// # Errors
/// If it is too long, broken off, or of another type.
pub async fn json(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let bytes = bytes(body).await?;
    if is(headers, "application/json") { Ok(bytes) } else { Err(Code::UnsupportedMediaType.into()) }
}

/// # Errors
/// If it is too long, or broken off.
pub async fn bytes(body: Body) -> Result<Bytes, Problem> {
    to_bytes(body, MAX_BODY_BYTES).await.map_err(|error| unread(&error))
}

/// Deserializes a body directly. Only an invalid one is parsed field by field, to report everything that is wrong.
///
/// # Errors
/// As [`read`] and [`Json::parse`].
pub fn typed<B: DeserializeOwned + FromFields>(bytes: Bytes) -> Result<B, Problem> {
    // A list of the values in their order would do for serde as well.
    let is_object = bytes.trim_ascii_start().starts_with(b"{");
    match serde_json::from_slice(&bytes) {
        Ok(body) if is_object => Ok(body),
        _ => object(bytes)?.parse(),
    }
}

/// An answer in one piece. What axum's own begins with is outgrown several times by most of ours.
pub fn json_response(view: &impl Serialize) -> Response {
    let mut bytes = Vec::with_capacity(TYPICAL_RESPONSE_BYTES);
    match serde_json::to_writer(&mut bytes, view) {
        Ok(()) => {
            let mut response = Response::new(Body::from(bytes));
            response.headers_mut().reserve(TYPICAL_HEADERS);
            response.headers_mut().insert(CONTENT_TYPE, APPLICATION_JSON);
            response
        }
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            Problem::from(Code::Internal).into_response()
        }
    }
}

fn object(bytes: Bytes) -> Result<Json, Problem> {
    refuse_repeated_fields(&bytes)?;
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(fields)) => Ok(Json { bytes, fields }),
        Ok(_) => Err(Problem::invalid([wrong("", "not_an_object", "Send a JSON object: { … }.")])),
        Err(_) => Err(Code::MalformedBody.into()),
    }
}

/// The names of the fields in a JSON document, each as often as it is there. [`Value`] keeps one of those that are
/// repeated, and which one differs from parser to parser.
#[derive(Deserialize)]
#[serde(untagged)]
enum FieldNames {
    Object(Entries),
    Array(Vec<FieldNames>),
    Scalar(IgnoredAny),
}

struct Entries(Vec<(String, FieldNames)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;

        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Entries, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(EntriesVisitor)
    }
}

impl FieldNames {
    /// Adds the fields that are there more than once, each with the path to it: `guest.name`, `requests.0.key`.
    fn find_repeated(&self, prefix: &str, repeated: &mut Vec<String>) {
        match self {
            Self::Object(Entries(entries)) => {
                let mut counts = HashMap::new();
                for (name, names) in entries {
                    let path = format!("{prefix}{}", redact::word(name));
                    names.find_repeated(&format!("{path}."), repeated);
                    let count = counts.entry(name).or_insert(0);
                    *count += 1;
                    if *count == 2 {
                        repeated.push(path);
                    }
                }
            }
            Self::Array(items) => {
                for (index, names) in items.iter().enumerate() {
                    names.find_repeated(&format!("{prefix}{index}."), repeated);
                }
            }
            Self::Scalar(_) => {}
        }
    }
}

fn refuse_repeated_fields(bytes: &[u8]) -> Result<(), Problem> {
    let mut repeated = Vec::new();
    let names: FieldNames = serde_json::from_slice(bytes).map_err(|_| Problem::from(Code::MalformedBody))?;
    names.find_repeated("", &mut repeated);
    if repeated.is_empty() {
        return Ok(());
    }
    Err(Problem::invalid(repeated.iter().map(|field| wrong(field, "sent_twice", &format!("Send {field} once.")))))
}

/// Too long, or broken off before its end.
fn unread(error: &axum::Error) -> Problem {
    let mut causes = std::iter::successors(error.source(), |&cause| cause.source());
    if causes.any(<dyn std::error::Error>::is::<LengthLimitError>) {
        Code::BodyTooLarge.into()
    } else {
        Code::MalformedBody.into()
    }
}

/// Whether the body says that it is of this type.
pub fn is(headers: &HeaderMap, media_type: &str) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media_type)
}

fn wrong(field: &str, code: &str, detail: &str) -> WrongField {
    WrongField { field: field.to_owned(), code: code.to_owned(), detail: detail.to_owned() }
}

impl Json {
    /// Returns a text field even if other fields are invalid.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.as_str()
    }

    /// # Errors
    /// Names every field that is missing, wrong or unknown.
    pub fn parse<B: FromFields>(&self) -> Result<B, Problem> {
        let mut errors = Vec::new();
        let mut fields = Fields { prefix: "", fields: &self.fields, known: Vec::new(), errors: &mut errors };
        let body = B::from_fields(&mut fields);
        fields.refuse_unknown();
        match body {
            Some(body) if errors.is_empty() => Ok(body),
            _ => Err(Problem::invalid(errors)),
        }
    }
}

/// The fields of an object, each of which is to be read once.
pub struct Fields<'a> {
    prefix: &'static str,
    fields: &'a Map<String, Value>,
    known: Vec<&'static str>,
    errors: &'a mut Vec<WrongField>,
}

impl Fields<'_> {
    /// Notes that something is wrong with a field.
    pub fn refuse(&mut self, name: &str, code: &str, detail: &str) {
        let field = format!("{}{name}", self.prefix);
        self.errors.push(WrongField { field, code: code.to_owned(), detail: detail.to_owned() });
    }

    /// A field that may be left out, or be null.
    fn find(&mut self, name: &'static str) -> Option<&Value> {
        self.known.push(name);
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// Some(None) when it is left out, None when it is wrong.
    fn optional<T>(
        &mut self,
        name: &'static str,
        detail: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<Option<T>> {
        let found = self.find(name).map(read);
        match found {
            None => Some(None),
            Some(Some(value)) => Some(Some(value)),
            Some(None) => {
                self.refuse(name, "wrong_type", detail);
                None
            }
        }
    }

    fn required<T>(&mut self, name: &'static str, detail: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let value = self.optional(name, detail, read)?;
        if value.is_none() {
            self.refuse(name, "required", detail);
        }
        value
    }

    pub fn text(&mut self, name: &'static str, detail: &str) -> Option<String> {
        self.required(name, detail, |value| value.as_str().map(str::to_owned))
    }

    pub fn optional_text(&mut self, name: &'static str, detail: &str) -> Option<Option<String>> {
        self.optional(name, detail, |value| value.as_str().map(str::to_owned))
    }

    /// Text that may be left out, and has to be of a certain form.
    pub fn optional_formed<T>(
        &mut self,
        name: &'static str,
        detail: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<Option<T>> {
        let Some(text) = self.optional_text(name, detail)? else { return Some(None) };
        let formed = read(&text);
        if formed.is_none() {
            self.refuse(name, "malformed", detail);
        }
        formed.map(Some)
    }

    pub fn date(&mut self, name: &'static str) -> Option<NaiveDate> {
        self.required(name, "Write the day as year-month-day, for example 2027-01-31.", |value| {
            parse_date(value.as_str()?)
        })
    }

    pub fn number_or(&mut self, name: &'static str, default: u32, detail: &str) -> Option<u32> {
        let number =
            self.optional(name, detail, |value| value.as_u64().and_then(|number| u32::try_from(number).ok()))?;
        Some(number.unwrap_or(default))
    }

    /// A number that may be left out, and has to be one of certain numbers.
    pub fn optional_number<T>(
        &mut self,
        name: &'static str,
        detail: &str,
        read: impl Fn(u64) -> Option<T>,
    ) -> Option<Option<T>> {
        let Some(number) = self.optional(name, detail, Value::as_u64)? else { return Some(None) };
        let taken = read(number);
        if taken.is_none() {
            self.refuse(name, "out_of_range", detail);
        }
        taken.map(Some)
    }

    /// An object within, whose fields are named after it.
    pub fn object<T>(
        &mut self,
        name: &'static str,
        prefix: &'static str,
        detail: &str,
        read: impl Fn(&mut Fields<'_>) -> Option<T>,
    ) -> Option<T> {
        let object = self.required(name, detail, |value| value.as_object().cloned())?;
        let mut fields = Fields { prefix, fields: &object, known: Vec::new(), errors: self.errors };
        let value = read(&mut fields);
        fields.refuse_unknown();
        value
    }

    fn refuse_unknown(&mut self) {
        let unknown: Vec<String> = self
            .fields
            .keys()
            .filter(|name| !self.known.contains(&name.as_str()))
            .map(|name| redact::word(name))
            .collect();
        for name in unknown {
            self.refuse(&name, "unknown", "Unknown field. Remove it or correct its name.");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeated(json: &str) -> Vec<String> {
        let mut repeated = Vec::new();
        serde_json::from_str::<FieldNames>(json).unwrap().find_repeated("", &mut repeated);
        repeated
    }

    #[test]
    fn repeated_fields_are_named_once_with_their_path() {
        assert_eq!(repeated(r#"{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}],"d":null}"#), [""; 0]);
        assert_eq!(repeated(r#"{"a":1,"b":2,"a":3,"a":{}}"#), ["a"]);
        assert_eq!(repeated(r#"{"guest":{"name":"x","name":"x"},"\u0061":1,"a":2}"#), ["guest.name", "a"]);
        assert_eq!(repeated(r#"{"requests":[{},{"key":1,"key":2}]}"#), ["requests.1.key"]);
        assert_eq!(repeated("[1,2]"), [""; 0]);
    }

    #[test]
    fn repeated_secret_is_not_echoed() {
        let secret = "lk_tk_0123456789abcdefghijklmnopqrstuvwxyz";
        let found = repeated(&format!(r#"{{"{secret}":1,"{secret}":2}}"#));
        assert_eq!(found.len(), 1);
        assert!(!found[0].contains(&secret[..20]), "{found:?}");
    }
}
