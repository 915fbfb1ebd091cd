//! The verify request.

use std::net::IpAddr;

use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, Serializer};

/// A key, and what it is to be used for. Parameters that are not set are not checked: a request without a permission
/// verifies the key alone.
#[derive(Debug, Clone, Serialize)]
#[must_use = "a question does nothing until it is asked"]
pub struct Question {
    #[serde(serialize_with = "in_plain_text")]
    pub(crate) key: SecretString,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) permission: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) property: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cost: Option<u32>,
}

impl Question {
    /// Creates a request to verify this key.
    pub fn about(key: impl Into<SecretString>) -> Self {
        Self { key: key.into(), permission: None, property: None, ip: None, origin: None, cost: None }
    }

    /// And may it do this? A permission is written `reservations:read`.
    pub fn permission(mut self, permission: impl Into<String>) -> Self {
        self.permission = Some(permission.into());
        self
    }

    /// And may it touch this property?
    pub fn property(mut self, id: impl Into<String>) -> Self {
        self.property = Some(id.into());
        self
    }

    /// And may it be used from this address? A key with an IP allowlist is refused without one.
    pub fn ip(mut self, address: IpAddr) -> Self {
        self.ip = Some(address);
        self
    }

    /// And by a page of this origin? Give the `Origin` header as it came. A key with a list of allowed origins is
    /// refused without one.
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// How many calls of its rate limit this takes: 1 unless said otherwise, and 0 to take none.
    pub fn cost(mut self, calls: u32) -> Self {
        self.cost = Some(calls);
        self
    }
}

/// The only place where the key is exposed, to be sent to Latchkey.
fn in_plain_text<S: Serializer>(key: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(key.expose_secret())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn unset_parameters_are_not_sent() {
        let question = Question::about("lk_tk_abc");
        assert_eq!(serde_json::to_value(&question).unwrap(), json!({ "key": "lk_tk_abc" }));
    }

    #[test]
    fn every_parameter_is_sent() {
        let question = Question::about("lk_tk_abc")
            .permission("reservations:read")
            .property("prp_1")
            .ip("203.0.113.9".parse().unwrap())
            .origin("https://book.example.com")
            .cost(3);
        let expected = json!({
            "key": "lk_tk_abc", "permission": "reservations:read", "property": "prp_1", "ip": "203.0.113.9",
            "origin": "https://book.example.com", "cost": 3,
        });
        assert_eq!(serde_json::to_value(&question).unwrap(), expected);
    }

    #[test]
    fn key_is_never_printed() {
        assert!(!format!("{:?}", Question::about("lk_tk_abc")).contains("abc"));
    }
}
