//! Input of the API: one struct for each query, form and body. The struct that OpenAPI describes is the one that is
//! deserialized, and if that fails, every wrong field is reported.

use std::{collections::BTreeSet, fmt};

use axum::{
    extract::{FromRequestParts, Path},
    http::{Uri, request::Parts},
};
use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{RefOr, Required, Schema, Type, path::Parameter, schema::SchemaType},
};

use crate::{
    problem::{Code, Problem, WrongField},
    redact,
};

/// A body that can be deserialized from a JSON object.
pub trait Body: DeserializeOwned + ToSchema {
    /// Checks that no single field can hold. They are reported together with wrong fields.
    fn check(_object: &Map<String, Value>) -> Option<WrongField> {
        None
    }
}

/// The query of a request.
pub struct Query<T>(pub T);

/// The query of a request, described by two structs.
pub struct Queries<A, B>(pub A, pub B);

impl<S: Sync, T: DeserializeOwned + IntoParams> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        deserialize_pairs(query, &fields_of_query::<T>()).map(Self)
    }
}

impl<S: Sync, A, B> FromRequestParts<S> for Queries<A, B>
where
    A: DeserializeOwned + IntoParams,
    B: DeserializeOwned + IntoParams,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let first = deserialize_pairs(query, &fields_of_query::<A>());
        let second = deserialize_pairs(query, &fields_of_query::<B>());
        match (first, second) {
            (Ok(first), Ok(second)) => Ok(Self(first, second)),
            (Err(first), Err(second)) => Err(first.and(second)),
            (Err(problem), Ok(_)) | (Ok(_), Err(problem)) => Err(problem),
        }
    }
}

/// The id in a path. One that is not even UTF-8 names nothing.
pub struct PathId(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = Path::<String>::from_request_parts(parts, state).await;
        id.map(|Path(id)| Self(id)).map_err(|_| Code::NotFound.into())
    }
}

/// Returns the first parameter of this name in a query.
pub fn first_parameter(uri: &Uri, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs.find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
}

/// Deserializes a form. Fields that it does not describe are ignored.
///
/// # Errors
/// Every wrong field.
pub fn deserialize_form<T: DeserializeOwned + ToSchema>(form: &[u8]) -> Result<T, Problem> {
    deserialize_pairs(form, &fields_of_body::<T>())
}

/// Deserializes a JSON object.
///
/// # Errors
/// Every wrong field.
pub fn deserialize_object<T: Body>(object: &Map<String, Value>) -> Result<T, Problem> {
    let fields = fields_of_body::<T>();
    let object = &without_nulls(object, &fields);
    let mut errors = Vec::new();
    // Serde would also accept a list of the values in their order.
    let has_list = fields.iter().any(|field| field.is_object() && object.get(&field.name).is_some_and(Value::is_array));
    let body = T::deserialize(Value::Object(object.clone()));
    if body.is_err() || has_list {
        find_wrong_fields::<T>(object, &fields, &[], &mut errors);
    }
    errors.extend(T::check(object));
    match body {
        Ok(body) if errors.is_empty() => Ok(body),
        _ => Err(Problem::invalid(errors)),
    }
}

/// Null means that a field was left out.
fn without_nulls(object: &Map<String, Value>, fields: &[Field]) -> Map<String, Value> {
    let mut object = object.clone();
    for field in fields {
        match object.get_mut(&field.name) {
            Some(Value::Null) => {
                object.remove(&field.name);
            }
            Some(Value::Object(inner)) => *inner = without_nulls(inner, &field.fields),
            _ => {}
        }
    }
    object
}

/// An error of a field type, with a code for programs. Serde passes on nothing but its text.
#[derive(Debug)]
pub struct InvalidInput {
    pub code: &'static str,
    pub detail: &'static str,
}

impl fmt::Display for InvalidInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

const DATE_FORMAT: &str = "Write the day as year-month-day, for example 2027-01-31.";

/// Deserializes a date in a body.
pub fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    deserialize_date(deserializer, InvalidInput { code: "wrong_type", detail: DATE_FORMAT })
}

/// Deserializes a date in a query.
pub fn query_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    deserialize_date(deserializer, InvalidInput { code: "not_a_date", detail: DATE_FORMAT })
}

/// Accepts `2027-01-31` and no other form: chrono alone would accept a sign and single digits.
fn deserialize_date<'de, D: Deserializer<'de>>(deserializer: D, invalid: InvalidInput) -> Result<NaiveDate, D::Error> {
    let text = String::deserialize(deserializer)?;
    let is_plain = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok().filter(|_| is_plain);
    date.ok_or_else(|| serde::de::Error::custom(invalid))
}

/// A field as OpenAPI describes it.
struct Field {
    name: String,
    is_required: bool,
    description: Option<String>,
    example: Option<String>,
    kind: &'static str,
    /// The fields of an object.
    fields: Vec<Field>,
}

fn fields_of_query<T: IntoParams>() -> Vec<Field> {
    let field = |parameter: Parameter| {
        let json = serde_json::to_value(&parameter).unwrap_or_default();
        let example = json["example"].as_str().map(str::to_owned);
        let schema = parameter.schema.map(|schema| Field::new("", &schema, false, &[]));
        let kind = schema.map(|schema| schema.kind).unwrap_or_default();
        Field {
            name: parameter.name,
            is_required: parameter.required == Required::True,
            description: parameter.description,
            example,
            kind,
            fields: Vec::new(),
        }
    };
    T::into_params(|| None).into_iter().map(field).collect()
}

fn fields_of_body<T: ToSchema>() -> Vec<Field> {
    let mut schemas = Vec::new();
    T::schemas(&mut schemas);
    Field::new("", &T::schema(), true, &schemas).fields
}

impl Field {
    fn new(name: &str, schema: &RefOr<Schema>, is_required: bool, schemas: &[(String, RefOr<Schema>)]) -> Self {
        let schema = match schema {
            RefOr::Ref(reference) => {
                let target = reference.ref_location.rsplit('/').next();
                schemas.iter().find(|(name, _)| Some(name.as_str()) == target).map(|(_, schema)| schema)
            }
            RefOr::T(_) => Some(schema),
        };
        let mut field = Self {
            name: name.to_owned(),
            is_required,
            description: None,
            example: None,
            kind: "text",
            fields: Vec::new(),
        };
        if let Some(RefOr::T(Schema::Object(object))) = schema {
            field.description.clone_from(&object.description);
            field.example = object.example.as_ref().and_then(Value::as_str).map(str::to_owned);
            field.kind = kind(&object.schema_type);
            field.fields = object
                .properties
                .iter()
                .map(|(name, schema)| Self::new(name, schema, object.required.contains(name), schemas))
                .collect();
        }
        field
    }

    fn is_object(&self) -> bool {
        !self.fields.is_empty()
    }

    fn missing(&self, path: &str) -> WrongField {
        let description = self.description.as_deref().map(|description| format!(" {description}"));
        WrongField::new(path, "required", format!("Send {path}.{}", description.unwrap_or_default()))
    }

    fn wrong_type(&self, path: &str) -> WrongField {
        WrongField::new(path, "wrong_type", format!("Send {path} as {}.", self.kind))
    }

    /// Explains the error of a value that could not be deserialized.
    fn invalid(&self, path: &str, error: &str) -> WrongField {
        if error.starts_with("invalid type") || error.starts_with("invalid value") {
            return self.wrong_type(path);
        }
        match error.split_once(": ") {
            Some((code, detail)) if code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') => {
                WrongField::new(path, code, detail)
            }
            _ => {
                let example = self.example.as_ref().map(|example| format!(", for example {example}"));
                WrongField::new(path, "malformed", format!("Invalid {path}: {error}{}.", example.unwrap_or_default()))
            }
        }
    }
}

fn kind(schema_type: &SchemaType) -> &'static str {
    let is = |wanted: Type| match schema_type {
        SchemaType::Type(kind) => *kind == wanted,
        SchemaType::Array(kinds) => kinds.contains(&wanted),
        SchemaType::AnyValue => false,
    };
    match () {
        () if is(Type::Integer) => "a whole number",
        () if is(Type::Boolean) => "true or false",
        () if is(Type::Object) => "an object",
        () if is(Type::Array) => "a list",
        () => "text",
    }
}

/// Adds every field of the object that is missing, unknown or invalid.
fn find_wrong_fields<T: DeserializeOwned>(
    object: &Map<String, Value>,
    fields: &[Field],
    parents: &[&str],
    errors: &mut Vec<WrongField>,
) {
    for field in fields {
        let path = [parents, &[&field.name]].concat();
        match object.get(&field.name) {
            Some(Value::Object(inner)) if field.is_object() => {
                find_wrong_fields::<T>(inner, &field.fields, &path, errors);
            }
            value => errors.extend(find_error::<T>(field, value, &path)),
        }
    }
    let unknown = object.keys().filter(|name| fields.iter().all(|field| field.name != **name));
    errors.extend(unknown.map(|name| {
        let path = [parents, &[&redact::word(name)]].concat().join(".");
        WrongField::new(&path, "unknown", "Unknown field. Remove it or correct its name.")
    }));
}

/// Tries a value on its own, in an object that has no other field: if the path of the error is its own, the value is
/// wrong, otherwise the error is about a field that is missing from that object.
fn find_error<T: DeserializeOwned>(field: &Field, value: Option<&Value>, path: &[&str]) -> Option<WrongField> {
    let dotted_path = path.join(".");
    let Some(value) = value else {
        return field.is_required.then(|| field.missing(&dotted_path));
    };
    if field.is_object() {
        return Some(field.wrong_type(&dotted_path));
    }
    let object = path.iter().rev().fold(value.clone(), |value, name| json!({ *name: value }));
    let error = serde_path_to_error::deserialize::<_, T>(object).err()?;
    (error.path().to_string() == dotted_path).then(|| field.invalid(&dotted_path, &error.into_inner().to_string()))
}

/// Deserializes pairs of texts, such as a query. Names that are not described are ignored.
fn deserialize_pairs<T: DeserializeOwned>(text: &[u8], fields: &[Field]) -> Result<T, Problem> {
    let mut object = Map::new();
    let mut repeated = BTreeSet::new();
    for (name, value) in form_urlencoded::parse(text) {
        if fields.iter().any(|field| field.name == name)
            && object.insert(name.to_string(), Value::String(value.into_owned())).is_some()
        {
            repeated.insert(name.into_owned());
        }
    }
    match T::deserialize(Value::Object(object.clone())) {
        Ok(value) if repeated.is_empty() => Ok(value),
        _ => Err(Problem::invalid(fields.iter().filter_map(|field| {
            let name = &field.name;
            if repeated.contains(name) {
                return Some(WrongField::new(name, "sent_twice", format!("Send {name} once.")));
            }
            find_error::<T>(field, object.get(name), &[name])
        }))),
    }
}

#[cfg(test)]
mod tests {
    use domain::id::PropertyId;

    use super::*;

    #[derive(Debug, Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it can be deserialized counts")]
    struct Stay {
        /// The property, by its id.
        #[schema(value_type = String, example = "prp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
        property: PropertyId,
        guest: Visitor,
        #[serde(deserialize_with = "date")]
        #[schema(value_type = String)]
        arrival: NaiveDate,
        units: Option<u8>,
    }

    #[derive(Debug, Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "as above")]
    struct Visitor {
        name: String,
        email: Option<String>,
    }

    impl Body for Stay {}

    fn errors(body: Value) -> Vec<(String, String, String)> {
        let Value::Object(object) = body else { panic!("an object") };
        let problem = deserialize_object::<Stay>(&object).unwrap_err();
        problem.errors().iter().map(|error| (error.field.clone(), error.code.clone(), error.detail.clone())).collect()
    }

    #[test]
    fn all_wrong_fields_are_reported() {
        let body = json!({
            "property": "here", "guest": { "email": 5, "phone": "1" }, "arrival": "2027-1-31", "units": 300, "note": null
        });
        let expected = [
            (
                "property",
                "malformed",
                "Invalid property: not an identifier that starts with \"prp_\", for example prp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB.",
            ),
            ("guest.name", "required", "Send guest.name."),
            ("guest.email", "wrong_type", "Send guest.email as text."),
            ("guest.phone", "unknown", "Unknown field. Remove it or correct its name."),
            ("arrival", "wrong_type", "Write the day as year-month-day, for example 2027-01-31."),
            ("units", "wrong_type", "Send units as a whole number."),
            ("note", "unknown", "Unknown field. Remove it or correct its name."),
        ];
        let expected = expected.map(|(field, code, detail)| (field.to_owned(), code.to_owned(), detail.to_owned()));
        assert_eq!(errors(body), expected);
        assert_eq!(errors(json!({ "guest": null, "units": "2" })).len(), 4);
    }

    #[test]
    fn valid_object_is_deserialized() {
        let body = json!({ "property": "prp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB", "guest": { "name": "Robin" }, "arrival": "2027-01-31" });
        assert!(deserialize_object::<Stay>(body.as_object().unwrap()).is_ok());
    }

    #[test]
    fn repeated_and_missing_parameters_are_reported() {
        #[derive(Debug, Deserialize, ToSchema)]
        #[expect(dead_code, reason = "as above")]
        struct Form {
            /// The key.
            token: String,
            hint: Option<String>,
        }
        let errors = |form: &[u8]| {
            let problem = deserialize_form::<Form>(form).unwrap_err();
            problem.errors().iter().map(|error| format!("{} {}", error.field, error.code)).collect::<Vec<_>>()
        };
        assert_eq!(errors(b"hint=a&hint=b&other=c"), ["token required", "hint sent_twice"]);
        assert!(deserialize_form::<Form>(b"token=a&other=b&other=c").is_ok());
    }
}
