//! The public API as its OpenAPI document describes it, prepared for the reference page.

mod example;
mod shape;

use shape::Schemas;
use utoipa::openapi::{
    OpenApi, RefOr, Required,
    path::{Parameter as OpenApiParameter, ParameterIn, PathItem},
    security::SecurityRequirement,
};

pub(crate) use example::Purpose;
pub(crate) use shape::{Member, Shape};

/// The content of the API reference page.
#[derive(Debug)]
pub struct Reference {
    pub(crate) groups: Vec<Group>,
    pub(crate) problems: Vec<ProblemKind>,
}

/// An error code of the API.
#[derive(Debug, Clone, Copy)]
pub struct ProblemKind {
    pub code: &'static str,
    pub status: u16,
    pub title: &'static str,
    /// Why it happens, and what to do next.
    pub meaning: &'static str,
}

/// The operations with one tag.
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
    pub(crate) responses: Vec<Response>,
}

/// The credential that an operation requires.
#[derive(Debug)]
pub(crate) enum Needs {
    Nothing,
    AnyKey,
    Permission(String),
}

#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) location: &'static str,
    pub(crate) member: Member,
}

#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) media_type: String,
    pub(crate) shape: Shape,
}

/// A successful response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: String,
    pub(crate) description: String,
    pub(crate) shape: Option<Shape>,
}

impl Reference {
    #[must_use]
    pub fn new(document: &OpenApi, problems: Vec<ProblemKind>) -> Self {
        let schemas = Schemas(document.components.as_ref().map(|components| &components.schemas));
        let mut groups: Vec<Group> = Vec::new();
        for (path, item) in &document.paths.paths {
            for (method, described) in operations(item) {
                let name = described.tags.iter().flatten().next().cloned().unwrap_or_default();
                let operation = Operation::new(method, path, described, &schemas);
                match groups.iter_mut().find(|group| group.name == name) {
                    Some(group) => group.operations.push(operation),
                    None => groups.push(Group { name, operations: vec![operation] }),
                }
            }
        }
        Self { groups, problems }
    }

    #[must_use]
    pub(crate) fn has_problem(&self, code: &str) -> bool {
        self.problems.iter().any(|problem| problem.code == code)
    }
}

fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &utoipa::openapi::path::Operation)> {
    let PathItem { get, post, put, patch, delete, .. } = item;
    let all = [("GET", get), ("POST", post), ("PUT", put), ("PATCH", patch), ("DELETE", delete)];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

/// The value itself. Our document refers to schemas only, so nothing else is behind a reference.
fn inline<T>(value: &RefOr<T>) -> Option<&T> {
    match value {
        RefOr::T(value) => Some(value),
        RefOr::Ref(_) => None,
    }
}

impl Operation {
    fn new(
        method: &'static str,
        path: &str,
        described: &utoipa::openapi::path::Operation,
        schemas: &Schemas<'_>,
    ) -> Self {
        let parameters = described.parameters.iter().flatten().filter_map(inline);
        let body = described.request_body.as_ref().and_then(inline).and_then(|body| {
            let (media_type, content) = body.content.first_key_value()?;
            let schema = inline(content)?.schema.as_ref()?;
            Some(Body { media_type: media_type.clone(), shape: schemas.resolve(schema) })
        });
        let responses = described.responses.responses.iter().filter(|(status, _)| status.starts_with('2'));
        let responses = responses.filter_map(|(status, response)| {
            let response = inline(response)?;
            let schema = response.content.values().next().and_then(inline).and_then(|content| content.schema.as_ref());
            let shape = schema.map(|schema| schemas.resolve(schema));
            Some(Response { status: status.clone(), description: response.description.clone(), shape })
        });
        Self {
            id: described.operation_id.clone().unwrap_or_default(),
            method,
            path: path.to_owned(),
            summary: described.summary.clone().unwrap_or_default(),
            description: described.description.clone(),
            needs: Needs::new(described),
            parameters: parameters.map(|parameter| Parameter::new(parameter, schemas)).collect(),
            body,
            responses: responses.collect(),
        }
    }

    /// The path and query of an example call: every placeholder and every required parameter has a value.
    pub(crate) fn example_address(&self) -> String {
        let mut path = self.path.clone();
        let mut query = Vec::new();
        for Parameter { location, member } in &self.parameters {
            let value = || member.shape.example_word().unwrap_or_else(|| format!("<{}>", member.name));
            match *location {
                "path" => path = path.replace(&format!("{{{}}}", member.name), &value()),
                "query" if member.is_required => query.push(format!("{}={}", member.name, value())),
                _ => {}
            }
        }
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }
}

impl Needs {
    fn new(operation: &utoipa::openapi::path::Operation) -> Self {
        let schemes = operation.security.as_ref();
        let is_open = schemes.is_some_and(|all| all.iter().all(|one| *one == SecurityRequirement::default()));
        let permission = operation.extensions.as_ref().and_then(|all| all.get("x-permission")?.as_str());
        match permission {
            _ if is_open => Self::Nothing,
            None => Self::AnyKey,
            Some(permission) => Self::Permission(permission.to_owned()),
        }
    }
}

impl Parameter {
    fn new(parameter: &OpenApiParameter, schemas: &Schemas<'_>) -> Self {
        let schema = parameter.schema.clone().unwrap_or_default();
        let mut shape = schemas.resolve(&schema);
        shape.example = example_of_parameter(parameter).or(shape.example);
        // The "Required" column says this already.
        shape.is_nullable = false;
        let location = match parameter.parameter_in {
            ParameterIn::Path => "path",
            ParameterIn::Query | ParameterIn::QueryString => "query",
            ParameterIn::Header => "header",
            ParameterIn::Cookie => "cookie",
        };
        let is_required = parameter.required == Required::True;
        let member =
            Member { name: parameter.name.clone(), is_required, meaning: parameter.description.clone(), shape };
        Self { location, member }
    }
}

/// utoipa keeps the example of a parameter private, so it is taken from the serialized form.
fn example_of_parameter(parameter: &OpenApiParameter) -> Option<serde_json::Value> {
    serde_json::to_value(parameter).ok()?.get_mut("example").map(serde_json::Value::take)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r##"{
        "openapi": "3.1.0",
        "info": { "title": "Things", "version": "1" },
        "paths": {
            "/things/{id}": { "post": {
                "operationId": "change_thing",
                "tags": ["Things"],
                "summary": "Change a thing",
                "x-permission": "things:write",
                "parameters": [
                    { "name": "id", "in": "path", "required": true, "example": "thg_1", "schema": { "type": "string" } },
                    { "name": "limit", "in": "query", "required": false, "schema": { "type": ["integer", "null"], "minimum": 1, "maximum": 9, "default": 5 } },
                    { "name": "day", "in": "query", "required": true, "schema": { "type": "string", "format": "date" } }
                ],
                "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } },
                "responses": {
                    "200": { "description": "Done", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } },
                    "401": { "description": "Refused" }
                }
            } },
            "/open": { "get": { "operationId": "read_open", "security": [{}], "responses": {
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
                "note": { "type": ["string", "null"], "maxLength": 10, "description": "A remark." },
                "owner": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Owner" }] },
                "inner": { "$ref": "#/components/schemas/Thing" }
            } },
            "Owner": { "type": "object", "description": "The person responsible.", "required": ["name"], "properties": { "name": { "type": "string", "minLength": 1, "maxLength": 5 } } }
        } }
    }"##;

    fn reference() -> Reference {
        Reference::new(&serde_json::from_str(DOCUMENT).unwrap(), Vec::new())
    }

    fn operation() -> Operation {
        let mut reference = reference();
        reference.groups.remove(0).operations.remove(0)
    }

    #[test]
    fn operation_states_its_permission_and_limits() {
        let reference = reference();
        let needs: Vec<&Needs> =
            reference.groups.iter().flat_map(|group| &group.operations).map(|call| &call.needs).collect();
        assert!(matches!(needs[..], [Needs::Permission(permission), Needs::Nothing] if permission == "things:write"));
        let parameters = operation().parameters;
        assert_eq!(parameters[1].member.shape.type_label(), "integer");
        assert_eq!(parameters[1].member.shape.limits.as_deref(), Some("1 to 9; default 5"));
        assert_eq!(operation().responses.len(), 1, "errors are described once, for all calls");
    }

    #[test]
    fn fields_are_listed_in_order_with_nested_fields() {
        let body = operation().body.unwrap();
        let fields = body.shape.fields();
        let paths: Vec<&str> = fields.iter().take(6).map(|field| field.path.as_str()).collect();
        assert_eq!(paths, ["zone", "from", "to", "note", "owner", "owner.name"]);
        assert_eq!(fields[4].member.meaning.as_deref(), Some("The person responsible."));
        assert_eq!(fields[4].member.shape.type_label(), "object or null");
        assert_eq!(fields[5].member.shape.limits.as_deref(), Some("1 to 5 characters"));
        assert!(fields.len() < 100, "a recursive schema is cut off");
    }

    #[test]
    fn all_of_schema_merges_the_fields_of_its_parts() {
        let reference = reference();
        let operation = reference.groups.iter().flat_map(|group| &group.operations).find(|call| call.id == "read_open");
        let fields = operation.unwrap().responses[0].shape.as_ref().unwrap().fields();
        let listed: Vec<_> = fields.iter().map(|field| (field.path.as_str(), field.member.is_required)).collect();
        assert_eq!(listed, [("name", false), ("good", true)], "the fields of a nullable part are optional");
    }

    #[test]
    fn request_example_is_valid_as_it_stands() {
        let today = "2027-01-30".parse().unwrap();
        let body = operation().body.unwrap();
        let sent: serde_json::Value = serde_json::from_str(&body.shape.example(Purpose::Request, today)).unwrap();
        assert_eq!(sent["zone"], "north");
        assert_eq!((&sent["from"], &sent["to"]), (&"2027-03-01".into(), &"2027-03-03".into()));
        assert!(sent.get("note").is_none());
        let received: serde_json::Value = serde_json::from_str(&body.shape.example(Purpose::Response, today)).unwrap();
        assert_eq!(received["note"], serde_json::Value::Null);
    }

    #[test]
    fn example_address_fills_every_required_parameter() {
        assert_eq!(operation().example_address(), "/things/thg_1?day=<day>");
    }
}
