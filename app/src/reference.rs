//! The public API as its own description tells of it, made ready for the page that people read.

mod document;
mod example;
mod shape;

use document::{Document, Path};
use indexmap::IndexMap;
use shape::Shapes;

pub(crate) use example::Purpose;
pub(crate) use shape::{Member, Shape};

/// Everything that the page about the API tells.
#[derive(Debug)]
pub struct Reference {
    pub(crate) groups: Vec<Group>,
    pub(crate) problems: Vec<ProblemKind>,
}

/// A code that refusals come with.
#[derive(Debug, Clone, Copy)]
pub struct ProblemKind {
    pub code: &'static str,
    pub status: u16,
    pub title: &'static str,
    /// What it means, and what to do about it.
    pub meaning: &'static str,
}

/// Calls that belong together.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) operations: Vec<Operation>,
}

#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) summary: String,
    pub(crate) description: Option<String>,
    pub(crate) needs: Needs,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    pub(crate) answers: Vec<Answer>,
}

/// What whoever calls has to show.
#[derive(Debug)]
pub(crate) enum Needs {
    Nothing,
    AnyKey,
    Permission(String),
}

#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) place: String,
    pub(crate) member: Member,
}

#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) media_type: String,
    pub(crate) shape: Shape,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: String,
    pub(crate) description: String,
    pub(crate) shape: Option<Shape>,
}

/// The description is not one that can be read.
#[derive(Debug, thiserror::Error)]
#[error("the API's description cannot be read: {0}")]
pub struct UnreadableReference(#[from] serde_json::Error);

impl Reference {
    /// Reads a description in the form of OpenAPI 3.1.
    ///
    /// # Errors
    /// If it is something else.
    pub fn read(description: &str, problems: Vec<ProblemKind>) -> Result<Self, UnreadableReference> {
        let document: Document = serde_json::from_str(description)?;
        let shapes = Shapes(document.components.schemas);
        let mut groups: Vec<Group> = Vec::new();
        for (path, item) in document.paths {
            for (method, described) in item.operations() {
                let name = described.tags.first().cloned().unwrap_or_default();
                let operation = Operation::read(method, &path, described, &shapes);
                match groups.iter_mut().find(|group| group.name == name) {
                    Some(group) => group.operations.push(operation),
                    None => groups.push(Group { name, operations: vec![operation] }),
                }
            }
        }
        Ok(Self { groups, problems })
    }

    #[must_use]
    pub(crate) fn has_problem(&self, code: &str) -> bool {
        self.problems.iter().any(|problem| problem.code == code)
    }
}

impl Operation {
    fn read(method: &'static str, path: &str, described: document::Operation, shapes: &Shapes) -> Self {
        let needs = described.needs();
        let parameters = described.parameters.into_iter().map(|parameter| parameter.read(shapes)).collect();
        let body = described.body.and_then(|body| {
            let (media_type, content) = body.content.into_iter().next()?;
            Some(Body { media_type, shape: shapes.resolve(&content.schema) })
        });
        let answers = described.answers.into_iter().filter(|(status, _)| status.starts_with('2'));
        let answers = answers.map(|(status, answer)| {
            let content = answer.content.into_values().next();
            let shape = content.map(|content| shapes.resolve(&content.schema));
            Answer { status, description: answer.description, shape }
        });
        Self {
            id: described.id,
            method,
            path: path.to_owned(),
            summary: described.summary,
            description: described.description,
            needs,
            parameters,
            body,
            answers: answers.collect(),
        }
    }

    /// The path and query of a first call: every place is filled, and everything is sent that has to be.
    pub(crate) fn example_address(&self) -> String {
        let mut path = self.path.clone();
        let mut query = Vec::new();
        for Parameter { place, member } in &self.parameters {
            let value = || member.shape.example_word().unwrap_or_else(|| format!("<{}>", member.name));
            match place.as_str() {
                "path" => path = path.replace(&format!("{{{}}}", member.name), &value()),
                "query" if member.is_required => query.push(format!("{}={}", member.name, value())),
                _ => {}
            }
        }
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }
}

impl document::Operation {
    fn needs(&self) -> Needs {
        let is_open = self.security.as_ref().is_some_and(|schemes| schemes.iter().all(IndexMap::is_empty));
        match &self.permission {
            _ if is_open => Needs::Nothing,
            None => Needs::AnyKey,
            Some(permission) => Needs::Permission(permission.clone()),
        }
    }
}

impl document::Parameter {
    fn read(self, shapes: &Shapes) -> Parameter {
        let mut shape = shapes.resolve(&self.schema);
        shape.example = self.example.or(shape.example);
        // That it may be left out is said by itself.
        shape.is_nullable = false;
        let member = Member { name: self.name, is_required: self.is_required, meaning: self.description, shape };
        Parameter { place: self.place, member }
    }
}

impl Path {
    fn operations(self) -> impl Iterator<Item = (&'static str, document::Operation)> {
        let Self { get, post, put, patch, delete } = self;
        let all = [("GET", get), ("POST", post), ("PUT", put), ("PATCH", patch), ("DELETE", delete)];
        all.into_iter().filter_map(|(method, operation)| Some((method, operation?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCRIPTION: &str = r##"{
        "paths": {
            "/things/{id}": { "post": {
                "operationId": "change_thing",
                "tags": ["Things"],
                "summary": "Change a thing",
                "x-permission": "things:write",
                "parameters": [
                    { "name": "id", "in": "path", "required": true, "example": "thg_1", "schema": { "type": "string" } },
                    { "name": "limit", "in": "query", "schema": { "type": ["integer", "null"], "minimum": 1, "maximum": 9, "default": 5 } },
                    { "name": "day", "in": "query", "required": true, "schema": { "type": "string", "format": "date" } }
                ],
                "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } },
                "responses": {
                    "200": { "description": "Done", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } },
                    "401": { "description": "Refused" }
                }
            } },
            "/open": { "get": { "operationId": "look", "security": [{}], "responses": {
                "200": { "description": "Seen", "content": { "application/json": { "schema": { "allOf": [
                    { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Owner" }] },
                    { "type": "object", "required": ["good"], "properties": { "good": { "type": "boolean" } } }
                ] } } } }
            } } }
        },
        "components": { "schemas": {
            "Thing": { "type": "object", "required": ["zone", "from", "to", "owner"], "properties": {
                "zone": { "type": "string", "example": "north" },
                "from": { "type": "string", "format": "date" },
                "to": { "type": "string", "format": "date" },
                "note": { "type": ["string", "null"], "maxLength": 10, "description": "Free words." },
                "owner": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Owner" }] },
                "inner": { "$ref": "#/components/schemas/Thing" }
            } },
            "Owner": { "type": "object", "description": "Whose it is.", "required": ["name"], "properties": { "name": { "type": "string", "minLength": 1, "maxLength": 5 } } }
        } }
    }"##;

    fn operation() -> Operation {
        let mut reference = Reference::read(DESCRIPTION, Vec::new()).unwrap();
        reference.groups.remove(0).operations.remove(0)
    }

    #[test]
    fn what_a_call_needs_is_told() {
        let reference = Reference::read(DESCRIPTION, Vec::new()).unwrap();
        let needs: Vec<&Needs> =
            reference.groups.iter().flat_map(|group| &group.operations).map(|call| &call.needs).collect();
        assert!(matches!(needs[..], [Needs::Permission(permission), Needs::Nothing] if permission == "things:write"));
        let parameters = operation().parameters;
        assert_eq!(parameters[1].member.shape.words(), "integer");
        assert_eq!(parameters[1].member.shape.limits.as_deref(), Some("1 to 9; 5 unless given"));
        assert_eq!(operation().answers.len(), 1, "refusals are told once, for all calls");
    }

    #[test]
    fn fields_come_in_their_order_with_those_inside_them() {
        let body = operation().body.unwrap();
        let fields = body.shape.fields();
        let paths: Vec<&str> = fields.iter().take(6).map(|field| field.path.as_str()).collect();
        assert_eq!(paths, ["zone", "from", "to", "note", "owner", "owner.name"]);
        assert_eq!(fields[4].member.meaning.as_deref(), Some("Whose it is."));
        assert_eq!(fields[4].member.shape.words(), "object or null");
        assert_eq!(fields[5].member.shape.limits.as_deref(), Some("1 to 5 characters"));
        assert!(fields.len() < 100, "a shape that holds itself comes to an end");
    }

    #[test]
    fn what_is_put_together_from_parts_has_the_fields_of_all() {
        let reference = Reference::read(DESCRIPTION, Vec::new()).unwrap();
        let looked = reference.groups.iter().flat_map(|group| &group.operations).find(|call| call.id == "look");
        let fields = looked.unwrap().answers[0].shape.as_ref().unwrap().fields();
        let told: Vec<_> = fields.iter().map(|field| (field.path.as_str(), field.member.is_required)).collect();
        assert_eq!(told, [("name", false), ("good", true)], "a part that can be missing takes its fields with it");
    }

    #[test]
    fn an_example_can_be_sent_as_it_stands() {
        let today = "2027-01-30".parse().unwrap();
        let body = operation().body.unwrap();
        let sent: serde_json::Value = serde_json::from_str(&body.shape.example(Purpose::Sent, today)).unwrap();
        assert_eq!(sent["zone"], "north");
        assert_eq!((&sent["from"], &sent["to"]), (&"2027-03-01".into(), &"2027-03-03".into()));
        assert!(sent.get("note").is_none());
        let answered: serde_json::Value = serde_json::from_str(&body.shape.example(Purpose::Answered, today)).unwrap();
        assert_eq!(answered["note"], serde_json::Value::Null);
    }

    #[test]
    fn an_address_has_everything_that_it_needs() {
        assert_eq!(operation().example_address(), "/things/thg_1?day=<day>");
    }

    #[test]
    fn what_is_no_description_is_refused() {
        assert!(Reference::read("{}", Vec::new()).is_err());
    }
}
