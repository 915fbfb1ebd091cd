//! The OpenAPI document and the error codes, handed to the console for its reference page.

use app::{ProblemKind, Reference};

use super::openapi;
use crate::problem::Code;

/// The content of the API reference at `/docs`.
#[must_use]
pub fn reference(public_url: &str, serves_booking: bool) -> Reference {
    let problems = Code::ALL.iter().map(|code| ProblemKind {
        code: code.as_str(),
        status: code.status().as_u16(),
        title: code.title(),
        meaning: code.meaning(),
    });
    Reference::new(&openapi::document(public_url, serves_booking), problems.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_contains_every_operation() {
        let reference = reference("https://keys.example.com", true);
        let text = format!("{reference:?}");
        for operation in ["get_key", "list_properties", "create_reservation", "create_token"] {
            assert!(text.contains(&format!("id: \"{operation}\"")), "{operation}");
        }
        assert!(text.contains("Permission(\"reservations:write\")") && text.contains("AnyKey"));
    }

    #[test]
    fn every_operation_states_its_permission() {
        let document = serde_json::to_value(openapi::document("https://keys.example.com", true)).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let is_open = operation["security"] == serde_json::json!([{}]);
                let says = operation.get("x-permission").is_some();
                assert!(is_open || says, "{method} {path}: name its permission in x-permission, or null for any key");
            }
        }
    }
}
