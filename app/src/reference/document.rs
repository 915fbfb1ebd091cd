//! As much of OpenAPI 3.1 as the reference reads.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Number, Value};

#[derive(Deserialize)]
pub(super) struct Document {
    pub(super) paths: IndexMap<String, Path>,
    pub(super) components: Components,
}

#[derive(Deserialize)]
pub(super) struct Components {
    pub(super) schemas: IndexMap<String, Schema>,
}

#[derive(Deserialize)]
pub(super) struct Path {
    pub(super) get: Option<Operation>,
    pub(super) post: Option<Operation>,
    pub(super) put: Option<Operation>,
    pub(super) patch: Option<Operation>,
    pub(super) delete: Option<Operation>,
}

#[derive(Deserialize)]
pub(super) struct Operation {
    #[serde(rename = "operationId")]
    pub(super) id: String,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    #[serde(default)]
    pub(super) summary: String,
    pub(super) description: Option<String>,
    /// None stands for what the whole document asks for: a key.
    pub(super) security: Option<Vec<IndexMap<String, Value>>>,
    #[serde(rename = "x-permission")]
    pub(super) permission: Option<String>,
    #[serde(default)]
    pub(super) parameters: Vec<Parameter>,
    #[serde(rename = "requestBody")]
    pub(super) body: Option<Body>,
    #[serde(rename = "responses")]
    pub(super) answers: IndexMap<String, Answer>,
}

#[derive(Deserialize)]
pub(super) struct Parameter {
    pub(super) name: String,
    #[serde(rename = "in")]
    pub(super) place: String,
    #[serde(rename = "required", default)]
    pub(super) is_required: bool,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) schema: Schema,
    pub(super) example: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct Body {
    pub(super) content: IndexMap<String, Content>,
}

#[derive(Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) content: IndexMap<String, Content>,
}

#[derive(Deserialize)]
pub(super) struct Content {
    #[serde(default)]
    pub(super) schema: Schema,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Schema {
    #[serde(rename = "$ref")]
    pub(super) reference: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Kinds,
    pub(super) format: Option<String>,
    pub(super) description: Option<String>,
    pub(super) properties: IndexMap<String, Schema>,
    pub(super) required: Vec<String>,
    pub(super) items: Option<Box<Schema>>,
    pub(super) one_of: Vec<Schema>,
    pub(super) all_of: Vec<Schema>,
    pub(super) minimum: Option<Number>,
    pub(super) maximum: Option<Number>,
    pub(super) min_length: Option<u32>,
    pub(super) max_length: Option<u32>,
    pub(super) default: Option<Value>,
    pub(super) example: Option<Value>,
    pub(super) examples: Vec<Value>,
    #[serde(rename = "enum")]
    pub(super) values: Vec<Value>,
}

/// One type, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Kinds {
    One(String),
    Several(Vec<String>),
}

impl Default for Kinds {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl Kinds {
    pub(super) fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }
}
