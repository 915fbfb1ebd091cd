//! The credential of a request: which headers may carry one, and what happens when several do.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_STANDARD};
use domain::secret;
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
    only_credential(present_credentials(headers, None)?)
}

/// Finds the credential of a request to another API, whose clients may also send a credential for that API.
///
/// With a chosen header, no other one is looked at. Otherwise a JWT or a password in `Authorization` is the other API's
/// if another header carries a key.
///
/// # Errors
/// If there is more than one.
pub fn find_forwarded_credential(
    headers: &HeaderMap,
    chosen: Option<&HeaderName>,
) -> Result<Option<PresentedCredential>, Conflict> {
    let mut present = present_credentials(headers, chosen)?;
    if present.iter().flatten().any(CredentialHeader::is_key) && chosen.is_none() {
        for header in &mut present {
            header.take_if(|header| header.is_legacy());
        }
    }
    only_credential(present)
}

/// In the order of [`CREDENTIAL_HEADERS`].
type PresentCredentials = [Option<CredentialHeader>; 3];

/// Returns the credentials in all headers or the chosen one, none of which may be sent twice.
fn present_credentials(headers: &HeaderMap, chosen: Option<&HeaderName>) -> Result<PresentCredentials, Conflict> {
    let mut present = PresentCredentials::default();
    for (credential, name) in present.iter_mut().zip(&CREDENTIAL_HEADERS) {
        if chosen.is_some_and(|chosen| chosen != name) {
            continue;
        }
        let mut values = headers.get_all(name).iter();
        let first = values.next();
        if values.next().is_some() {
            return Err(Conflict);
        }
        *credential = first.and_then(|value| header(name, value));
    }
    Ok(present)
}

/// The same credential in several headers is one.
fn only_credential(present: PresentCredentials) -> Result<Option<PresentedCredential>, Conflict> {
    let mut present = present.into_iter().flatten();
    let first = present.next();
    if present.any(|other| Some(&other) != first.as_ref()) { Err(Conflict) } else { Ok(first.map(to_credential)) }
}

impl CredentialHeader {
    /// Returns true for the secret of a key, even if it is incomplete or mistyped.
    fn is_key(&self) -> bool {
        matches!(self, Self::Token(token) if secret::has_prefix(token))
    }

    /// Returns true for a password and a token in JWT form.
    fn is_legacy(&self) -> bool {
        match self {
            Self::Token(token) => is_json_web_token(token),
            Self::Basic(_) => true,
        }
    }
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

fn to_credential(header: CredentialHeader) -> PresentedCredential {
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
        describe(find_credential(&headers(lines)))
    }

    fn describe(found: Result<Option<PresentedCredential>, Conflict>) -> String {
        match found {
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

    #[test]
    fn forwarded_request_may_carry_a_credential_of_the_other_api() {
        const KEY: &str = "lk_tk_abc";
        let found = |lines: &[(&str, &str)], chosen: Option<&str>| {
            let chosen = chosen.map(|name| HeaderName::try_from(name).unwrap());
            describe(find_forwarded_credential(&headers(lines), chosen.as_ref()))
        };
        let jwt = ("authorization", "Bearer a.b.c");
        let basic = ("authorization", "Basic YTpi");
        for (lines, chosen, expected) in [
            (&[jwt, ("x-api-key", KEY)][..], None, "secret lk_tk_abc"),
            (&[basic, ("user-api-key", KEY)], None, "secret lk_tk_abc"),
            (&[jwt], None, "token a.b.c"),
            (&[jwt, ("x-api-key", "other")], None, "conflict"),
            (&[("authorization", "Bearer opaque"), ("x-api-key", KEY)], None, "conflict"),
            (&[jwt, ("x-api-key", KEY), ("user-api-key", "lk_tk_abd")], None, "conflict"),
            (&[jwt, jwt, ("x-api-key", KEY)], None, "conflict"),
            (&[("authorization", "Bearer opaque"), ("x-api-key", KEY)], Some("x-api-key"), "secret lk_tk_abc"),
            (&[("authorization", "Bearer lk_tk_abd"), ("x-api-key", KEY)], Some("authorization"), "secret lk_tk_abd"),
            (&[jwt], Some("x-api-key"), "none"),
            (&[("x-api-key", KEY), ("x-api-key", KEY)], Some("x-api-key"), "conflict"),
        ] {
            assert_eq!(found(lines, chosen), expected, "{lines:?} {chosen:?}");
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
