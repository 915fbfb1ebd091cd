//! The verify request.

use std::net::IpAddr;

use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, Serializer};

/// A key, and what it is to be used for. Parameters that are not set are not checked: a request without a permission
/// verifies the key alone.
#[derive(Debug, Clone, Serialize)]
#[must_use = "a request does nothing until it is sent"]
pub struct VerifyRequest {
    #[serde(serialize_with = "expose_key")]
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

impl VerifyRequest {
    /// Creates a request to verify this key.
    pub fn new(key: impl Into<SecretString>) -> Self {
        Self { key: key.into(), permission: None, property: None, ip: None, origin: None, cost: None }
    }

    /// Requires a permission, written `reservations:read`.
    pub fn permission(mut self, permission: impl Into<String>) -> Self {
        self.permission = Some(permission.into());
        self
    }

    /// Requires access to this property.
    pub fn property(mut self, id: impl Into<String>) -> Self {
        self.property = Some(id.into());
        self
    }

    /// Sets the address of the client. A key with an IP allowlist is refused without one.
    pub fn ip(mut self, address: IpAddr) -> Self {
        self.ip = Some(address);
        self
    }

    /// Sets the origin of the page that sent the request: the `Origin` header, unchanged. A key with an allowlist of origins
    /// is refused without one.
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// Sets how many calls to take from the rate limit: 1 by default, 0 for none.
    pub fn cost(mut self, calls: u32) -> Self {
        self.cost = Some(calls);
        self
    }
}

/// The only place where the key is exposed, to be sent to Latchkey.
fn expose_key<S: Serializer>(key: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(key.expose_secret())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn unset_parameters_are_not_sent() {
        let request = VerifyRequest::new("lk_tk_abc");
        assert_eq!(serde_json::to_value(&request).unwrap(), json!({ "key": "lk_tk_abc" }));
    }

    #[test]
    fn every_parameter_is_sent() {
        let request = VerifyRequest::new("lk_tk_abc")
            .permission("reservations:read")
            .property("prp_1")
            .ip("203.0.113.9".parse().unwrap())
            .origin("https://book.example.com")
            .cost(3);
        let expected = json!({
            "key": "lk_tk_abc", "permission": "reservations:read", "property": "prp_1", "ip": "203.0.113.9",
            "origin": "https://book.example.com", "cost": 3,
        });
        assert_eq!(serde_json::to_value(&request).unwrap(), expected);
    }

    #[test]
    fn key_is_never_printed() {
        assert!(!format!("{:?}", VerifyRequest::new("lk_tk_abc")).contains("abc"));
    }
}
