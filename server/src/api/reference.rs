//! The description of the API and the codes of problems, handed to the console, which shows them to people.

use app::{ProblemKind, Reference, UnreadableReference};

use super::openapi;
use crate::problem::Code;

/// What `/docs` shows.
///
/// # Errors
/// If the description is not one that the console can read.
pub fn reference(public_url: &str, serves_booking: bool) -> Result<Reference, UnreadableReference> {
    let problems = Code::ALL.iter().map(|code| ProblemKind {
        code: code.as_str(),
        status: code.status().as_u16(),
        title: code.title(),
        meaning: code.meaning(),
    });
    Reference::read(&openapi::document(public_url, serves_booking).to_json()?, problems.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn console_can_parse_the_document() {
        let reference = reference("https://keys.example.com", true).unwrap();
        let told = format!("{reference:?}");
        for operation in ["get_key", "list_properties", "create_reservation", "create_token"] {
            assert!(told.contains(&format!("id: \"{operation}\"")), "{operation}");
        }
        assert!(told.contains("Permission(\"reservations:write\")") && told.contains("AnyKey"));
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
