//! Latchkey's answers about a key.

use std::{fmt, time::Duration};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

/// The key is valid, with its owner; or it is not, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a refused key is an `Ok` value, not an error"]
pub enum Answer {
    Valid(Box<Caller>),
    Refused(Refusal),
}

impl Answer {
    #[must_use]
    pub fn is_valid(&self) -> bool {
        matches!(self, Self::Valid(_))
    }

    #[must_use]
    pub fn verdict(&self) -> &Verdict {
        match self {
            Self::Valid(_) => &Verdict::Valid,
            Self::Refused(refusal) => &refusal.verdict,
        }
    }
}

/// A valid key: its identity and its access.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Caller {
    pub key_id: String,
    pub name: Option<String>,
    /// `tenant`, or `personal` for a key that belongs to a person.
    #[serde(default)]
    pub kind: String,
    pub tenant: Tenant,
    /// The owner of a personal key.
    pub owner: Option<Owner>,
    /// The authorization group that says what the key may do.
    pub group: Option<String>,
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The permissions of the group, before the scopes narrow them. Ask with a permission rather than interpret these.
    #[serde(default)]
    pub permissions: Vec<String>,
    #[serde(default)]
    pub all_properties: bool,
    /// The properties that the key reaches, unless it reaches all.
    #[serde(default)]
    pub properties: Vec<String>,
    pub expires_at: Option<DateTime<Utc>>,
    /// The remaining calls at the time of the answer. None if the answer comes from the guard's cache.
    pub rate_limit: Option<RateLimit>,
    /// Set when the secret is the one from before a rotation.
    pub rotation: Option<Rotation>,
}

impl Caller {
    /// Returns true if the key may access the property with this id.
    #[must_use]
    pub fn reaches(&self, property: &str) -> bool {
        self.all_properties || self.properties.iter().any(|id| id == property)
    }

    /// The time at which the secret expires: with the key, or when a rotation retires it.
    #[cfg(feature = "tower")]
    pub(crate) fn ends_at(&self) -> Option<DateTime<Utc>> {
        let retires_at = self.rotation.as_ref().map(|rotation| rotation.retires_at);
        self.expires_at.into_iter().chain(retires_at).min()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Tenant {
    pub id: String,
    pub slug: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Owner {
    pub id: String,
    pub name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RateLimit {
    /// Calls in any 60 seconds.
    pub limit: u32,
    pub remaining: u32,
    /// Until there is more.
    pub reset_seconds: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Rotation {
    /// The time at which this secret stops working. Use the new one before then.
    pub retires_at: DateTime<Utc>,
}

/// Why a key is not valid, and what to tell the client that sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    pub verdict: Verdict,
    /// The HTTP status to answer with.
    pub status: u16,
    /// An explanation for the client that sent the key, with what to do next.
    pub message: String,
    /// The time to wait before a retry can succeed.
    pub retry_after: Option<Duration>,
    /// None for a key that Latchkey says nothing of.
    pub key_id: Option<String>,
    /// The id of the request in Latchkey's log.
    pub request_id: String,
}

macro_rules! verdicts {
    ($($verdict:ident $word:literal $status:literal)*) => {
        /// `VALID`, or the first reason why not.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Verdict {
            $($verdict,)*
            /// A verdict that this version does not know. The key is not valid.
            Other(String),
        }

        impl Verdict {
            /// Returns the code as Latchkey writes it, such as `IP_NOT_ALLOWED`.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$verdict => $word,)*
                    Self::Other(word) => word,
                }
            }

            /// Returns the status of the public API for this verdict, for answers without `http_status`.
            fn status(&self) -> u16 {
                match self {
                    $(Self::$verdict => $status,)*
                    Self::Other(_) => 403,
                }
            }
        }

        impl From<String> for Verdict {
            fn from(word: String) -> Self {
                match word.as_str() {
                    $($word => Self::$verdict,)*
                    _ => Self::Other(word),
                }
            }
        }
    };
}

verdicts! {
    Valid "VALID" 200
    InvalidRequest "INVALID_REQUEST" 400
    Malformed "MALFORMED" 401
    NotFound "NOT_FOUND" 401
    Revoked "REVOKED" 401
    SecretReplaced "SECRET_REPLACED" 401
    Expired "EXPIRED" 401
    Disabled "DISABLED" 401
    IpNotAllowed "IP_NOT_ALLOWED" 403
    OriginNotAllowed "ORIGIN_NOT_ALLOWED" 403
    InsufficientPermissions "INSUFFICIENT_PERMISSIONS" 403
    PropertyNotAllowed "PROPERTY_NOT_ALLOWED" 403
    RateLimited "RATE_LIMITED" 429
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Deserialize)]
pub(crate) struct VerifyResponse {
    #[serde(default)]
    meta: Meta,
    data: Value,
}

#[derive(Deserialize, Default)]
struct Meta {
    #[serde(default)]
    request_id: String,
}

/// The fields that must be read before a key is trusted.
#[derive(Deserialize)]
struct Said {
    valid: bool,
    code: String,
    http_status: Option<u16>,
    message: Option<String>,
    retry_after_seconds: Option<u64>,
    key_id: Option<String>,
}

impl TryFrom<VerifyResponse> for Answer {
    type Error = serde_json::Error;

    /// A key is valid only if all fields that say so agree.
    fn try_from(VerifyResponse { meta, data }: VerifyResponse) -> Result<Self, serde_json::Error> {
        let said = Said::deserialize(&data)?;
        match (said.valid, Verdict::from(said.code.clone())) {
            (true, Verdict::Valid) => Ok(Self::Valid(serde_json::from_value(data)?)),
            (false, Verdict::Valid) | (true, _) => Err(serde::de::Error::custom("`valid` and the code disagree")),
            (false, verdict) => Ok(Self::Refused(said.refusal(verdict, meta.request_id))),
        }
    }
}

impl Said {
    fn refusal(self, verdict: Verdict, request_id: String) -> Refusal {
        let refuses = |status: &u16| (400..600).contains(status);
        Refusal {
            status: self.http_status.filter(refuses).unwrap_or_else(|| verdict.status()),
            message: self.message.unwrap_or_else(|| format!("The API key was refused: {verdict}.")),
            retry_after: self.retry_after_seconds.map(Duration::from_secs),
            key_id: self.key_id,
            request_id,
            verdict,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(data: Value) -> Result<Answer, serde_json::Error> {
        Answer::try_from(VerifyResponse { meta: Meta { request_id: "req_1".to_owned() }, data })
    }

    fn good() -> Value {
        json!({
            "valid": true, "code": "VALID", "key_id": "key_1", "name": "PMS", "kind": "personal",
            "tenant": { "id": "ten_1", "slug": "acme" }, "owner": { "id": "per_1", "name": "Ana" }, "group": "Booking",
            "scopes": ["read"], "permissions": ["reservations:*"], "all_properties": false, "properties": ["prp_1"],
            "expires_at": "2027-01-31T00:00:00Z", "rate_limit": { "limit": 60, "remaining": 59, "reset_seconds": 1 },
            "rotation": { "retires_at": "2027-01-01T00:00:00Z" }, "something": "new",
        })
    }

    #[test]
    fn valid_key_names_its_owner() {
        let Answer::Valid(caller) = read(good()).unwrap() else { panic!("it is good") };
        assert_eq!((caller.key_id.as_str(), caller.name.as_deref()), ("key_1", Some("PMS")));
        assert_eq!(caller.owner.as_ref().unwrap().id, "per_1");
        assert!(caller.reaches("prp_1") && !caller.reaches("prp_2"));
        assert_eq!(caller.rate_limit.unwrap().remaining, 59);
    }

    #[cfg(feature = "tower")]
    #[test]
    fn secret_expires_with_its_key_or_its_rotation() {
        let Answer::Valid(mut caller) = read(good()).unwrap() else { panic!("it is good") };
        assert_eq!(caller.ends_at().unwrap().to_rfc3339(), "2027-01-01T00:00:00+00:00");
        caller.rotation = None;
        assert_eq!(caller.ends_at().unwrap().to_rfc3339(), "2027-01-31T00:00:00+00:00");
        caller.expires_at = None;
        assert_eq!(caller.ends_at(), None);
    }

    #[test]
    fn every_verdict_is_parsed() {
        for (word, verdict, status) in [
            ("INVALID_REQUEST", Verdict::InvalidRequest, 400),
            ("MALFORMED", Verdict::Malformed, 401),
            ("NOT_FOUND", Verdict::NotFound, 401),
            ("REVOKED", Verdict::Revoked, 401),
            ("SECRET_REPLACED", Verdict::SecretReplaced, 401),
            ("EXPIRED", Verdict::Expired, 401),
            ("DISABLED", Verdict::Disabled, 401),
            ("IP_NOT_ALLOWED", Verdict::IpNotAllowed, 403),
            ("ORIGIN_NOT_ALLOWED", Verdict::OriginNotAllowed, 403),
            ("INSUFFICIENT_PERMISSIONS", Verdict::InsufficientPermissions, 403),
            ("PROPERTY_NOT_ALLOWED", Verdict::PropertyNotAllowed, 403),
            ("RATE_LIMITED", Verdict::RateLimited, 429),
            ("TIRED", Verdict::Other("TIRED".to_owned()), 403),
        ] {
            let Answer::Refused(refusal) = read(json!({ "valid": false, "code": word })).unwrap() else {
                panic!("{word} is no good key")
            };
            assert_eq!((refusal.verdict.as_str(), refusal.status), (word, status));
            assert_eq!(refusal.verdict, verdict);
            assert!(refusal.message.contains(word), "{}", refusal.message);
        }
    }

    #[test]
    fn latchkeys_headers_come_first() {
        let data = json!({
            "valid": false, "code": "RATE_LIMITED", "http_status": 503, "message": "Wait.", "retry_after_seconds": 12,
        });
        let Answer::Refused(refusal) = read(data).unwrap() else { panic!("it is not good") };
        assert_eq!((refusal.status, refusal.message.as_str(), refusal.request_id.as_str()), (503, "Wait.", "req_1"));
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(12)));
    }

    #[test]
    fn refusal_is_never_read_as_a_success() {
        for status in [0, 200, 204, 302, 600] {
            let data = json!({ "valid": false, "code": "REVOKED", "http_status": status });
            let Answer::Refused(refusal) = read(data).unwrap() else { panic!("it is not good") };
            assert_eq!(refusal.status, 401, "{status}");
        }
    }

    #[test]
    fn contradictory_answer_is_an_error() {
        let mut revoked = good();
        revoked["code"] = json!("REVOKED");
        let mut invalid = good();
        invalid["valid"] = json!(false);
        let mut unknown = good();
        unknown["code"] = json!("ALMOST_VALID");
        let mut anonymous = good();
        anonymous.as_object_mut().unwrap().remove("key_id");
        for data in
            [revoked, invalid, unknown, anonymous, json!({ "valid": true, "code": "VALID" }), json!({}), json!(null)]
        {
            assert!(read(data.clone()).is_err(), "{data}");
        }
    }
}
