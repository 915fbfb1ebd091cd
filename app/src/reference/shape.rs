//! The shape of a request or response, with every `$ref` resolved.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::{
    RefOr, Schema,
    schema::{ArrayItems, Object, SchemaType, Type},
};

/// How deep nested schemas are followed. The API's are three deep; a recursive one would never end.
const MAX_DEPTH: u8 = 8;

#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    pub(crate) is_nullable: bool,
    pub(crate) limits: Option<String>,
    pub(super) example: Option<Value>,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Object(Vec<Member>),
    List(Box<Shape>),
    /// Any other type, by its name or format.
    Plain(String),
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) is_required: bool,
    pub(crate) meaning: Option<String>,
    pub(crate) shape: Shape,
}

/// A row in a table of fields.
pub(crate) struct Field<'a> {
    /// The names of the enclosing fields and its own, joined with dots.
    pub(crate) path: String,
    pub(crate) member: &'a Member,
}

/// The schemas that a `$ref` can name.
pub(super) struct Schemas<'a>(pub(super) Option<&'a BTreeMap<String, RefOr<Schema>>>);

impl Schemas<'_> {
    pub(super) fn resolve(&self, schema: &RefOr<Schema>) -> Shape {
        self.resolve_at(schema, 0)
    }

    fn resolve_at(&self, schema: &RefOr<Schema>, depth: u8) -> Shape {
        let schema = match schema {
            RefOr::Ref(reference) => match self.get(&reference.ref_location) {
                Some(target) if depth < MAX_DEPTH => return self.resolve_at(target, depth + 1),
                _ => return Shape::plain("object"),
            },
            RefOr::T(schema) => schema,
        };
        if let Some(inner) = only_alternative(schema).filter(|_| depth < MAX_DEPTH) {
            let shape = self.resolve_at(inner, depth + 1);
            return Shape { is_nullable: shape.is_nullable || has_null_alternative(schema), ..shape };
        }
        let (is_nullable, limits) = match schema {
            Schema::Object(object) => (is_null_allowed(&object.schema_type), limits(object)),
            Schema::Array(array) => (is_null_allowed(&array.schema_type), None),
            _ => (false, None),
        };
        Shape { kind: self.kind(schema, depth), is_nullable, limits, example: example(schema) }
    }

    fn get(&self, reference: &str) -> Option<&RefOr<Schema>> {
        self.0?.get(reference.rsplit('/').next()?)
    }

    fn kind(&self, schema: &Schema, depth: u8) -> Kind {
        match schema {
            Schema::AllOf(all) if depth < MAX_DEPTH => {
                Kind::Object(all.items.iter().flat_map(|part| self.members_of_part(part, depth + 1)).collect())
            }
            Schema::Array(array) => match &array.items {
                ArrayItems::RefOrSchema(items) if depth < MAX_DEPTH => {
                    Kind::List(Box::new(self.resolve_at(items, depth + 1)))
                }
                _ => Kind::Plain("array".to_owned()),
            },
            Schema::Object(object) => self.kind_of_object(object, depth),
            _ => Kind::Plain("any".to_owned()),
        }
    }

    fn kind_of_object(&self, object: &Object, depth: u8) -> Kind {
        match type_name(&object.schema_type) {
            Some(Type::Object) if depth < MAX_DEPTH => Kind::Object(
                object.properties.iter().map(|(name, inner)| self.member(object, name, inner, depth)).collect(),
            ),
            Some(name) => {
                let format = object.format.as_ref().filter(|_| *name == Type::String).map(json_name);
                Kind::Plain(format.unwrap_or_else(|| json_name(name)))
            }
            None => Kind::Plain("any".to_owned()),
        }
    }

    /// The fields that a part adds to the whole. Those of a nullable part are optional.
    fn members_of_part(&self, part: &RefOr<Schema>, depth: u8) -> Vec<Member> {
        let Shape { kind: Kind::Object(members), is_nullable, .. } = self.resolve_at(part, depth) else {
            return Vec::new();
        };
        members.into_iter().map(|member| Member { is_required: member.is_required && !is_nullable, ..member }).collect()
    }

    fn member(&self, object: &Object, name: &str, schema: &RefOr<Schema>, depth: u8) -> Member {
        Member {
            name: name.to_owned(),
            is_required: object.required.iter().any(|required| required == name),
            meaning: self.description(schema, depth),
            shape: self.resolve_at(schema, depth + 1),
        }
    }

    /// The schema's own description, or that of the schema it stands for.
    fn description(&self, schema: &RefOr<Schema>, depth: u8) -> Option<String> {
        let (own, target) = match schema {
            RefOr::Ref(reference) => (Some(&reference.description), self.get(&reference.ref_location)),
            RefOr::T(schema) => (description(schema), only_alternative(schema)),
        };
        let inherited = || self.description(target.filter(|_| depth < MAX_DEPTH)?, depth + 1);
        own.filter(|text| !text.is_empty()).cloned().or_else(inherited)
    }
}

/// The schema that remains of a choice once `null` is set aside, or the only part of an `allOf`.
fn only_alternative(schema: &Schema) -> Option<&RefOr<Schema>> {
    match schema {
        Schema::OneOf(one) => one.items.iter().find(|alternative| !is_null(alternative)),
        Schema::AllOf(all) if all.items.len() == 1 => all.items.first(),
        _ => None,
    }
}

fn has_null_alternative(schema: &Schema) -> bool {
    matches!(schema, Schema::OneOf(one) if one.items.iter().any(is_null))
}

fn is_null(schema: &RefOr<Schema>) -> bool {
    matches!(schema, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null))
}

fn is_null_allowed(schema_type: &SchemaType) -> bool {
    matches!(schema_type, SchemaType::Array(types) if types.contains(&Type::Null))
}

fn type_name(schema_type: &SchemaType) -> Option<&Type> {
    match schema_type {
        SchemaType::Type(name) => Some(name),
        SchemaType::Array(names) => names.iter().find(|name| **name != Type::Null),
        SchemaType::AnyValue => None,
    }
}

fn description(schema: &Schema) -> Option<&String> {
    match schema {
        Schema::Array(array) => array.description.as_ref(),
        Schema::Object(object) => object.description.as_ref(),
        Schema::OneOf(one) => one.description.as_ref(),
        Schema::AllOf(all) => all.description.as_ref(),
        Schema::AnyOf(any) => any.description.as_ref(),
        _ => None,
    }
}

fn example(schema: &Schema) -> Option<Value> {
    let (example, examples, default) = match schema {
        Schema::Array(array) => (&array.example, &array.examples, &array.default),
        Schema::Object(object) => (&object.example, &object.examples, &object.default),
        Schema::AllOf(all) => (&all.example, &all.examples, &all.default),
        _ => return None,
    };
    example.as_ref().or(examples.first()).or(default.as_ref()).cloned()
}

/// `1 to 200; default 50`
fn limits(object: &Object) -> Option<String> {
    let numbers = range(object.minimum.as_ref(), object.maximum.as_ref());
    let lengths = range(object.min_length.as_ref(), object.max_length.as_ref());
    let values: Vec<String> = object.enum_values.iter().flatten().map(word).collect();
    let parts = [
        // Every unsigned number has this bound.
        numbers.filter(|text| text != "at least 0"),
        lengths.map(|text| format!("{text} characters")),
        (!values.is_empty()).then(|| format!("one of {}", values.join(", "))),
        object.default.as_ref().map(|value| format!("default {}", word(value))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn range<T: Serialize>(min: Option<&T>, max: Option<&T>) -> Option<String> {
    match (min.map(json_name), max.map(json_name)) {
        (Some(min), Some(max)) => Some(format!("{min} to {max}")),
        (Some(min), None) => Some(format!("at least {min}")),
        (None, Some(max)) => Some(format!("at most {max}")),
        (None, None) => None,
    }
}

/// The name of a type, format or number as the document writes it.
fn json_name(value: &impl Serialize) -> String {
    serde_json::to_value(value).as_ref().map(word).unwrap_or_default()
}

/// A value without the quotes of JSON.
pub(super) fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Shape {
    fn plain(name: &str) -> Self {
        Self { kind: Kind::Plain(name.to_owned()), is_nullable: false, limits: None, example: None }
    }

    /// `list of string or null`
    pub(crate) fn type_label(&self) -> String {
        let plain = match &self.kind {
            Kind::Object(_) => "object".to_owned(),
            Kind::List(items) => format!("list of {}", items.type_label()),
            Kind::Plain(name) => name.clone(),
        };
        if self.is_nullable { format!("{plain} or null") } else { plain }
    }

    /// All fields, each before those nested in it.
    pub(crate) fn fields(&self) -> Vec<Field<'_>> {
        let mut fields = Vec::new();
        self.collect("", &mut fields);
        fields
    }

    fn collect<'a>(&'a self, parent: &str, fields: &mut Vec<Field<'a>>) {
        match &self.kind {
            Kind::Object(members) => {
                for member in members {
                    let path =
                        if parent.is_empty() { member.name.clone() } else { format!("{parent}.{}", member.name) };
                    fields.push(Field { path: path.clone(), member });
                    member.shape.collect(&path, fields);
                }
            }
            Kind::List(items) => items.collect(&format!("{parent}[]"), fields),
            Kind::Plain(_) => {}
        }
    }
}
