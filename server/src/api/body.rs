//! Bodies of requests and responses.

use std::{collections::HashMap, error::Error as _, fmt};

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, HeaderValue, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use http_body_util::LengthLimitError;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::input;
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

/// Deserializes a body without an intermediate object, which only an invalid one needs.
///
/// # Errors
/// As [`read_json`] and [`Json::parse`].
pub fn deserialize_json<B: input::Body>(bytes: Bytes) -> Result<B, Problem> {
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
        Ok(_) => Err(Problem::invalid([WrongField::new("", "not_an_object", "Send a JSON object: { … }.")])),
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
    Err(Problem::invalid(
        repeated.iter().map(|field| WrongField::new(field, "sent_twice", format!("Send {field} once."))),
    ))
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

/// Returns true if the body has this media type.
pub fn is(headers: &HeaderMap, media_type: &str) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    // Most clients send no parameters.
    kind.eq_ignore_ascii_case(media_type)
        || kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media_type)
}

impl Json {
    /// Returns a text field even if other fields are invalid.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.as_str()
    }

    /// # Errors
    /// Names every field that is missing, wrong or unknown.
    pub fn parse<B: input::Body>(&self) -> Result<B, Problem> {
        input::deserialize_object(&self.fields)
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
