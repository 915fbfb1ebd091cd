//! Access tokens: JSON Web Tokens (RFC 7519) signed with HMAC-SHA256, and no other algorithm.
//!
//! Written out, because the usual library brings RSA and elliptic curves along. A token has to carry the one header
//! that we write, so what a header claims is never acted on.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use domain::id::PersonId;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
const ISSUER: &str = "latchkey";

/// The lifetime of an access token.
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(3600);
/// The maximum difference between the clocks of two nodes, in seconds.
const CLOCK_SKEW_SECONDS: i64 = 60;

/// The installation's own signing key.
pub type TokenKey = SecretString;

/// The claims of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    sub: PersonId,
    iat: i64,
    exp: i64,
    /// The person's epoch when the token was issued. Signing out everywhere and a new password begin another.
    epoch: i64,
}

impl Claims {
    #[must_use]
    pub fn new(person: &PersonId, epoch: i64, now: DateTime<Utc>) -> Self {
        Self {
            iss: ISSUER.to_owned(),
            sub: person.clone(),
            iat: now.timestamp(),
            exp: (now + TOKEN_LIFETIME).timestamp(),
            epoch,
        }
    }

    #[must_use]
    pub fn person(&self) -> &PersonId {
        &self.sub
    }

    /// Returns true if the token was issued to this person in this epoch.
    #[must_use]
    pub fn are_of(&self, person: &PersonId, epoch: i64) -> bool {
        self.sub == *person && self.epoch == epoch
    }

    /// Returns true if the claims are valid now and for no longer than a token's lifetime.
    fn are_in_force(&self, now: DateTime<Utc>) -> bool {
        let now = now.timestamp();
        let lifetime = self.exp.checked_sub(self.iat).and_then(|seconds| u64::try_from(seconds).ok());
        let is_short = lifetime.is_some_and(|seconds| seconds <= TOKEN_LIFETIME.as_secs());
        is_short && self.exp > now && self.iat <= now.saturating_add(CLOCK_SKEW_SECONDS)
    }
}

fn mac(key: &TokenKey, signed: &str) -> Hmac<Sha256> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes()) else {
        unreachable!("HMAC takes a key of any length")
    };
    mac.update(signed.as_bytes());
    mac
}

/// Signs claims with the installation's key.
#[must_use]
pub fn sign(claims: &Claims, key: &TokenKey) -> SecretString {
    let Ok(claims) = serde_json::to_vec(claims) else { unreachable!("texts and numbers are JSON") };
    let signed = format!("{}.{}", BASE64_URL_SAFE_NO_PAD.encode(HEADER), BASE64_URL_SAFE_NO_PAD.encode(claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(mac(key, &signed).finalize().into_bytes());
    format!("{signed}.{signature}").into()
}

/// Returns the claims of a token that this key signed and that has not expired.
#[must_use]
pub fn verify(token: &SecretString, key: &TokenKey, now: DateTime<Utc>) -> Option<Claims> {
    let (signed, signature) = token.expose_secret().rsplit_once('.')?;
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
    mac(key, signed).verify_slice(&signature).ok()?;
    let (header, claims) = signed.split_once('.')?;
    if BASE64_URL_SAFE_NO_PAD.decode(header).ok()? != HEADER.as_bytes() {
        return None;
    }
    let claims: Claims = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let is_valid = claims.iss == ISSUER && claims.are_in_force(now);
    is_valid.then_some(claims)
}

#[cfg(test)]
mod tests {
    use domain::id::Id;
    use proptest::prelude::*;

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    fn claims() -> Claims {
        let sub = PersonId::parse("per_01JCQ4Y2V9ZK3T5N6R7S8W9XAB").unwrap();
        let iat = now().timestamp();
        Claims { iss: ISSUER.to_owned(), sub, iat, exp: iat + 3600, epoch: 7 }
    }

    fn key() -> TokenKey {
        "a key of the tests".to_owned().into()
    }

    #[test]
    fn token_is_valid_until_it_expires_and_for_its_key() {
        let token = sign(&claims(), &key());
        assert_eq!(verify(&token, &key(), now()), Some(claims()));
        assert!(verify(&token, &key(), now() + chrono::TimeDelta::seconds(3599)).is_some());
        assert!(verify(&token, &key(), now() + chrono::TimeDelta::seconds(3600)).is_none());
        assert!(verify(&token, &"another key".to_owned().into(), now()).is_none());
    }

    #[test]
    fn token_that_outlives_an_hour_is_refused() {
        let issued = |iat: i64, exp: i64| {
            let iat = now().timestamp().saturating_add(iat);
            sign(&Claims { iat, exp: now().timestamp().saturating_add(exp), ..claims() }, &key())
        };
        let is_valid = |iat, exp| verify(&issued(iat, exp), &key(), now()).is_some();
        assert!(is_valid(0, 3600) && is_valid(-3599, 1) && is_valid(0, 60));
        assert!(!is_valid(0, 3601), "a second too long");
        assert!(!is_valid(-3600, 3600) && !is_valid(-1, 3600));
        assert!(!is_valid(0, i64::MAX) && !is_valid(i64::MIN, i64::MAX) && !is_valid(i64::MIN, 1));
        assert!(is_valid(60, 3660), "the clock of another node may be a minute ahead");
        assert!(!is_valid(61, 3661) && !is_valid(86_400, 90_000), "issued in the future");
        assert!(!is_valid(30, 10), "ends before it begins");
    }

    #[test]
    fn other_algorithms_are_rejected() {
        for header in [r#"{"alg":"none"}"#, r#"{"alg":"HS256"}"#, r#"{"alg":"none","typ":"JWT"}"#] {
            let body = serde_json::to_vec(&claims()).unwrap();
            let signed = format!("{}.{}", BASE64_URL_SAFE_NO_PAD.encode(header), BASE64_URL_SAFE_NO_PAD.encode(body));
            let signature = BASE64_URL_SAFE_NO_PAD.encode(mac(&key(), &signed).finalize().into_bytes());
            assert!(verify(&format!("{signed}.{signature}").into(), &key(), now()).is_none(), "{header}");
            assert!(verify(&format!("{signed}.").into(), &key(), now()).is_none(), "{header} unsigned");
        }
    }

    proptest! {
        #[test]
        fn altered_token_is_rejected(place: prop::sample::Index, letter in "[A-Za-z0-9_-]") {
            let token = sign(&claims(), &key());
            let mut changed = token.expose_secret().as_bytes().to_vec();
            let place = place.index(changed.len());
            prop_assume!(changed[place] != letter.as_bytes()[0]);
            changed[place] = letter.as_bytes()[0];
            prop_assert!(verify(&String::from_utf8(changed).unwrap().into(), &key(), now()).is_none());
        }
    }
}
