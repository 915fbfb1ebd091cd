//! Parts of OpenAPI schemas that the derive macros cannot express.

use utoipa::openapi::{Array, ArrayBuilder, Object, ObjectBuilder, Type};

/// A text that has one of these values.
pub fn one_of_texts<'a>(values: impl IntoIterator<Item = &'a str>) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(values)).build()
}

/// A list of texts that each have one of these values.
pub fn list_of_texts<'a>(values: impl IntoIterator<Item = &'a str>) -> Array {
    ArrayBuilder::new().items(one_of_texts(values)).build()
}
