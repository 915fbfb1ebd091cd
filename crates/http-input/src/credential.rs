//! The credential of a request: which headers may carry one, and what happens when several do.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use secrecy::SecretString;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const USER_API_KEY: HeaderName = HeaderName::from_static("user-api-key");

/// The headers that carry credentials.
pub const CREDENTIAL_HEADERS: [HeaderName; 3] = [AUTHORIZATION, X_API_KEY, USER_API_KEY];

/// A credential as a request presents it.
#[derive(Debug)]
pub enum PresentedCredential {
    /// The secret of a key.
    Secret(SecretString),
    /// An access token of legacy authentication.
    AccessToken(SecretString),
    /// A user name and a password.
    Basic { user_name: String, password: SecretString },
}

/// The request carries two different credentials, or one header twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than one credential")]
pub struct Conflict;

/// A credential as its header spells it.
#[derive(PartialEq, Eq)]
enum CredentialHeader {
    /// A secret or an access token: both are bearer tokens.
    Token(String),
    Basic(String),
}

/// Finds the one credential of a request.
///
/// # Errors
/// If there is more than one.
pub fn find_credential(headers: &HeaderMap) -> Result<Option<PresentedCredential>, Conflict> {
    let mut found: Option<CredentialHeader> = None;
    for name in CREDENTIAL_HEADERS {
        let mut values = headers.get_all(&name).iter();
        let first = values.next();
        if values.next().is_some() {
            return Err(Conflict);
        }
        let Some(header) = first.and_then(|value| header(&name, value)) else { continue };
        match &found {
            Some(other) if *other != header => return Err(Conflict),
            _ => found = Some(header),
        }
    }
    Ok(found.map(credential))
}

/// Returns None for an empty header and for an unknown scheme.
fn header(name: &HeaderName, value: &HeaderValue) -> Option<CredentialHeader> {
    let text = header_text(value);
    let text = text.trim_matches([' ', '\t']);
    if *name != AUTHORIZATION {
        return (!text.is_empty()).then(|| CredentialHeader::Token(text.to_owned()));
    }
    let (scheme, rest) = text.split_once([' ', '\t'])?;
    let rest = rest.trim_matches([' ', '\t']);
    match scheme {
        _ if rest.is_empty() => None,
        scheme if scheme.eq_ignore_ascii_case("bearer") => Some(CredentialHeader::Token(rest.to_owned())),
        scheme if scheme.eq_ignore_ascii_case("basic") => Some(CredentialHeader::Basic(rest.to_owned())),
        _ => None,
    }
}

/// Bytes that are not UTF-8 become a text that no credential matches, so the request is refused as with an unknown one.
fn header_text(value: &HeaderValue) -> Cow<'_, str> {
    let bytes = value.as_bytes();
    // For valid text this is several times as fast as the lossy conversion.
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

fn credential(header: CredentialHeader) -> PresentedCredential {
    match header {
        CredentialHeader::Token(token) if is_json_web_token(&token) => PresentedCredential::AccessToken(token.into()),
        CredentialHeader::Token(secret) => PresentedCredential::Secret(secret.into()),
        CredentialHeader::Basic(encoded) => basic_credential(&encoded),
    }
}

/// A JWT has three parts separated by dots. The secret of a key contains no dot.
fn is_json_web_token(token: &str) -> bool {
    token.split('.').count() == 3
}

/// Malformed credentials become empty ones, which no person has.
fn basic_credential(encoded: &str) -> PresentedCredential {
    let decoded = BASE64_STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = decoded.unwrap_or_default();
    let (user_name, password) = text.split_once(':').unwrap_or_default();
    PresentedCredential::Basic { user_name: user_name.to_owned(), password: SecretString::from(password) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    /// The kinds of credentials, for comparison.
    fn found(lines: &[(&str, &str)]) -> String {
        match find_credential(&headers(lines)) {
            Err(Conflict) => "conflict".to_owned(),
            Ok(None) => "none".to_owned(),
            Ok(Some(PresentedCredential::Secret(secret))) => format!("secret {}", secret.expose_secret()),
            Ok(Some(PresentedCredential::AccessToken(token))) => format!("token {}", token.expose_secret()),
            Ok(Some(PresentedCredential::Basic { user_name, password })) => {
                format!("basic {user_name} {}", password.expose_secret())
            }
        }
    }

    #[test]
    fn credential_is_found_in_any_header() {
        for (lines, expected) in [
            (&[][..], "none"),
            (&[("authorization", "Bearer abc")], "secret abc"),
            (&[("Authorization", "bEARER \t abc \t")], "secret abc"),
            (&[("X-API-Key", " abc ")], "secret abc"),
            (&[("USER-API-KEY", "abc")], "secret abc"),
            (&[("authorization", "Bearer abc"), ("x-api-key", "abc"), ("user-api-key", "abc")], "secret abc"),
            (&[("authorization", "Bearer a.b.c")], "token a.b.c"),
            (&[("authorization", "Basic YW5hQGFjbWUudGVzdDphOmI=")], "basic ana@acme.test a:b"),
            (&[("authorization", "basic nonsense")], "basic  "),
            (&[("authorization", "Basic AAAA")], "basic  "),
            (&[("x-api-key", "")], "none"),
            (&[("authorization", "Bearer")], "none"),
            (&[("authorization", "Bearer  ")], "none"),
            (&[("authorization", "abc")], "none"),
            (&[("authorization", "Digest abc")], "none"),
            (&[("authorization", "Digest abc"), ("x-api-key", "abc")], "secret abc"),
            (&[("cookie", "x-api-key=abc"), ("x-api-keys", "abc")], "none"),
            (&[("x-api-key", "Bearer abc")], "secret Bearer abc"),
        ] {
            assert_eq!(found(lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn two_different_credentials_conflict() {
        for lines in [
            &[("x-api-key", "abc"), ("x-api-key", "abc")][..],
            &[("authorization", "Bearer abc"), ("authorization", "Bearer abc")],
            &[("authorization", "Bearer abc"), ("authorization", "Basic YTpi")],
            &[("x-api-key", "abc"), ("user-api-key", "abd")],
            &[("authorization", "Bearer abc"), ("x-api-key", "ABC")],
            &[("authorization", "Basic YTpi"), ("x-api-key", "YTpi")],
            &[("user-api-key", "abc"), ("user-api-key", "")],
        ] {
            assert_eq!(found(lines), "conflict", "{lines:?}");
        }
    }

    proptest! {
        #[test]
        fn secret_is_extracted_unchanged(secret in "[0-9A-Za-z_]{1,60}", place in 0usize..3, before in "[ \t]{0,3}", after in "[ \t]{0,3}") {
            let value = match place {
                0 => format!("Bearer {before}{secret}{after}"),
                _ => format!("{before}{secret}{after}"),
            };
            prop_assert_eq!(found(&[(CREDENTIAL_HEADERS[place].as_str(), &value)]), format!("secret {secret}"));
        }
    }
}
