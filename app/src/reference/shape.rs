//! The shape of what is sent and answered, with everything in its place that the description only refers to.

use indexmap::IndexMap;
use serde_json::{Number, Value};

use super::document::Schema;

/// Shapes within shapes are followed so far. The API's are three deep; one that holds itself would have no end.
const DEEPEST: u8 = 8;

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
    /// Anything else, by its name.
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
    /// With the names of everything around it.
    pub(crate) path: String,
    pub(crate) member: &'a Member,
}

/// The shapes that have a name.
pub(super) struct Shapes(pub(super) IndexMap<String, Schema>);

impl Shapes {
    pub(super) fn resolve(&self, schema: &Schema) -> Shape {
        self.resolve_at(schema, 0)
    }

    fn named(&self, reference: &str) -> Option<&Schema> {
        self.0.get(reference.rsplit('/').next()?)
    }

    fn resolve_at(&self, schema: &Schema, depth: u8) -> Shape {
        let inner = schema.reference.as_deref().and_then(|name| self.named(name)).or_else(|| meant(schema));
        if let Some(inner) = inner.filter(|_| depth < DEEPEST) {
            let shape = self.resolve_at(inner, depth + 1);
            return Shape { is_nullable: shape.is_nullable || schema.one_of.iter().any(is_null), ..shape };
        }
        Shape {
            kind: self.kind(schema, depth),
            is_nullable: schema.kind.names().iter().any(|name| name == "null"),
            limits: limits(schema),
            example: example(schema),
        }
    }

    fn kind(&self, schema: &Schema, depth: u8) -> Kind {
        if schema.all_of.len() > 1 && depth < DEEPEST {
            return Kind::Object(schema.all_of.iter().flat_map(|part| self.members_of_part(part, depth + 1)).collect());
        }
        let name = schema.kind.names().iter().find(|name| *name != "null").map_or("any", String::as_str);
        match (name, &schema.items) {
            ("object", _) if depth < DEEPEST => {
                let members = schema.properties.iter().map(|(name, inner)| self.member(schema, name, inner, depth));
                Kind::Object(members.collect())
            }
            ("array", Some(items)) if depth < DEEPEST => Kind::List(Box::new(self.resolve_at(items, depth + 1))),
            (name, _) => Kind::Plain(schema.format.as_deref().filter(|_| name == "string").unwrap_or(name).to_owned()),
        }
    }

    /// What a part adds to the whole. A part that can be missing takes its members with it.
    fn members_of_part(&self, part: &Schema, depth: u8) -> Vec<Member> {
        let Shape { kind: Kind::Object(members), is_nullable, .. } = self.resolve_at(part, depth) else {
            return Vec::new();
        };
        members.into_iter().map(|member| Member { is_required: member.is_required && !is_nullable, ..member }).collect()
    }

    fn member(&self, of: &Schema, name: &str, schema: &Schema, depth: u8) -> Member {
        let shape = self.resolve_at(schema, depth + 1);
        let own = schema.description.as_ref().or_else(|| meant(schema)?.description.as_ref());
        let named = || self.named(schema.reference.as_ref().or_else(|| meant(schema)?.reference.as_ref())?);
        Member {
            name: name.to_owned(),
            is_required: of.required.iter().any(|required| required == name),
            meaning: own.or_else(|| named()?.description.as_ref()).cloned(),
            shape,
        }
    }
}

/// What a choice comes down to, when all but one of its branches are nothing at all.
fn meant(schema: &Schema) -> Option<&Schema> {
    let parts = if schema.all_of.len() == 1 { &schema.all_of[..] } else { &[] };
    schema.one_of.iter().chain(parts).find(|branch| !is_null(branch))
}

fn is_null(schema: &Schema) -> bool {
    schema.kind.names() == ["null"]
}

fn example(schema: &Schema) -> Option<Value> {
    schema.example.as_ref().or(schema.examples.first()).or(schema.default.as_ref()).cloned()
}

/// `1 to 200; 50 unless given`
fn limits(schema: &Schema) -> Option<String> {
    let numbers = range(schema.minimum.as_ref(), schema.maximum.as_ref());
    let lengths = range(schema.min_length.map(Number::from).as_ref(), schema.max_length.map(Number::from).as_ref());
    let values: Vec<String> = schema.values.iter().map(word).collect();
    let parts = [
        // An unsigned number is no news.
        numbers.filter(|words| words != "at least 0"),
        lengths.map(|words| format!("{words} characters")),
        (!values.is_empty()).then(|| format!("one of {}", values.join(", "))),
        schema.default.as_ref().map(|value| format!("{} unless given", word(value))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn range(least: Option<&Number>, most: Option<&Number>) -> Option<String> {
    match (least, most) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}")),
        (Some(least), None) => Some(format!("at least {least}")),
        (None, Some(most)) => Some(format!("at most {most}")),
        (None, None) => None,
    }
}

/// A value without the quotes of JSON.
pub(super) fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Shape {
    /// What it is in a word or two.
    pub(crate) fn words(&self) -> String {
        let plain = match &self.kind {
            Kind::Object(_) => "object".to_owned(),
            Kind::List(items) => format!("list of {}", items.words()),
            Kind::Plain(name) => name.clone(),
        };
        if self.is_nullable { format!("{plain} or null") } else { plain }
    }

    /// Everything in it, the outer before the inner.
    pub(crate) fn fields(&self) -> Vec<Field<'_>> {
        let mut fields = Vec::new();
        self.collect("", &mut fields);
        fields
    }

    fn collect<'a>(&'a self, around: &str, fields: &mut Vec<Field<'a>>) {
        match &self.kind {
            Kind::Object(members) => {
                for member in members {
                    let path =
                        if around.is_empty() { member.name.clone() } else { format!("{around}.{}", member.name) };
                    fields.push(Field { path: path.clone(), member });
                    member.shape.collect(&path, fields);
                }
            }
            Kind::List(items) => items.collect(&format!("{around}[]"), fields),
            Kind::Plain(_) => {}
        }
    }
}
