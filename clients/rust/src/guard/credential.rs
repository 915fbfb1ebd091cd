//! The credential of a request.

use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use secrecy::SecretString;

const KEY_HEADERS: [HeaderName; 3] =
    [AUTHORIZATION, HeaderName::from_static("x-api-key"), HeaderName::from_static("user-api-key")];

/// The second part of a secret, by the kind of its key.
const KEY_KINDS: [&[u8]; 3] = [b"tk", b"pk", b"mk"];

pub enum FoundCredential {
    Key(SecretString),
    /// A password. Only Latchkey's own API accepts one, until its sunset.
    Password,
    Nothing,
    /// Two different credentials, or one header twice.
    Conflict,
}

/// A credential as its header spells it.
#[derive(PartialEq, Eq)]
enum CredentialHeader<'a> {
    Token(&'a [u8]),
    Basic(&'a [u8]),
}

/// Finds the one credential of a request, in the chosen header or else in any of [`KEY_HEADERS`].
///
/// A JWT or a password in `Authorization` is the service's own if another header carries a key.
pub fn find_credential(headers: &HeaderMap, chosen: Option<&HeaderName>) -> FoundCredential {
    let all = KEY_HEADERS;
    let names = chosen.map_or(&all[..], std::slice::from_ref);
    let mut present = Vec::with_capacity(1);
    for name in names {
        let mut values = headers.get_all(name).iter();
        let first = values.next();
        if values.next().is_some() {
            return FoundCredential::Conflict;
        }
        present.extend(first.and_then(|value| parse_header(name, value)));
    }
    if chosen.is_none() && present.iter().any(CredentialHeader::is_key) {
        present.retain(|header| !header.is_foreign());
    }
    let mut present = present.into_iter();
    let first = present.next();
    if present.any(|other| Some(&other) != first.as_ref()) {
        return FoundCredential::Conflict;
    }
    match first {
        None => FoundCredential::Nothing,
        Some(CredentialHeader::Basic(_)) => FoundCredential::Password,
        // Bytes that are not UTF-8 become a text that no key matches.
        Some(CredentialHeader::Token(key)) => FoundCredential::Key(String::from_utf8_lossy(key).into_owned().into()),
    }
}

impl CredentialHeader<'_> {
    /// Returns true for the secret of a key, even if it is incomplete or mistyped: `<product>_<kind>_…`.
    fn is_key(&self) -> bool {
        let Self::Token(token) = self else { return false };
        let mut parts = token.splitn(3, |byte| *byte == b'_');
        let (product, kind) = (parts.next().unwrap_or_default(), parts.next());
        product.first().is_some_and(u8::is_ascii_lowercase)
            && product.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            && kind.is_some_and(|kind| KEY_KINDS.contains(&kind))
            && parts.next().is_some()
    }

    /// Returns true for a password and for a token in JWT form.
    fn is_foreign(&self) -> bool {
        match self {
            Self::Token(token) => token.split(|byte| *byte == b'.').count() == 3,
            Self::Basic(_) => true,
        }
    }
}

/// Returns None for an empty header and for an unknown scheme.
fn parse_header<'a>(name: &HeaderName, value: &'a HeaderValue) -> Option<CredentialHeader<'a>> {
    let text = trimmed(value.as_bytes());
    if *name != AUTHORIZATION {
        return (!text.is_empty()).then_some(CredentialHeader::Token(text));
    }
    let scheme_ends = text.iter().position(is_blank)?;
    let (scheme, rest) = text.split_at(scheme_ends);
    match (scheme, trimmed(rest)) {
        (_, []) => None,
        (scheme, rest) if scheme.eq_ignore_ascii_case(b"bearer") => Some(CredentialHeader::Token(rest)),
        (scheme, rest) if scheme.eq_ignore_ascii_case(b"basic") => Some(CredentialHeader::Basic(rest)),
        _ => None,
    }
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn trimmed(text: &[u8]) -> &[u8] {
    let Some(start) = text.iter().position(|byte| !is_blank(byte)) else { return &[] };
    let end = text.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn found(lines: &[(&str, &[u8])]) -> String {
        found_in(lines, None)
    }

    fn found_in(lines: &[(&str, &[u8])], chosen: Option<&HeaderName>) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_bytes(value).unwrap());
        }
        match find_credential(&headers, chosen) {
            FoundCredential::Key(key) => format!("key {}", key.expose_secret()),
            FoundCredential::Password => "password".to_owned(),
            FoundCredential::Nothing => "nothing".to_owned(),
            FoundCredential::Conflict => "conflict".to_owned(),
        }
    }

    #[test]
    fn credential_is_found_in_any_header() {
        for (lines, expected) in [
            (&[][..], "nothing"),
            (&[("authorization", &b"Bearer abc"[..])], "key abc"),
            (&[("Authorization", b"bEARER \t abc \t")], "key abc"),
            (&[("X-API-Key", b" abc ")], "key abc"),
            (&[("USER-API-KEY", b"abc")], "key abc"),
            (&[("authorization", b"Bearer abc"), ("x-api-key", b"abc"), ("user-api-key", b"abc")], "key abc"),
            (&[("authorization", b"Bearer a.b.c")], "key a.b.c"),
            (&[("authorization", b"Basic YW5hQGFjbWUudGVzdDphOmI=")], "password"),
            (&[("authorization", b"basic nonsense")], "password"),
            (&[("x-api-key", b"")], "nothing"),
            (&[("x-api-key", b" \t ")], "nothing"),
            (&[("authorization", b"Bearer")], "nothing"),
            (&[("authorization", b"Bearer  ")], "nothing"),
            (&[("authorization", b"abc")], "nothing"),
            (&[("authorization", b"Digest abc")], "nothing"),
            (&[("authorization", b"Digest abc"), ("x-api-key", b"abc")], "key abc"),
            (&[("cookie", b"x-api-key=abc"), ("x-api-keys", b"abc")], "nothing"),
            (&[("x-api-key", b"Bearer abc")], "key Bearer abc"),
            (&[("x-api-key", b"abc\xff")], "key abc\u{fffd}"),
        ] {
            assert_eq!(found(lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn two_different_credentials_conflict() {
        for lines in [
            &[("x-api-key", &b"abc"[..]), ("x-api-key", b"abc")][..],
            &[("authorization", b"Bearer abc"), ("authorization", b"Bearer abc")],
            &[("authorization", b"Bearer abc"), ("authorization", b"Basic YTpi")],
            &[("x-api-key", b"abc"), ("user-api-key", b"abd")],
            &[("authorization", b"Bearer abc"), ("x-api-key", b"ABC")],
            &[("authorization", b"Basic YTpi"), ("x-api-key", b"YTpi")],
            &[("user-api-key", b"abc"), ("user-api-key", b"")],
        ] {
            assert_eq!(found(lines), "conflict", "{lines:?}");
        }
    }

    #[test]
    fn service_may_have_a_credential_of_its_own() {
        const KEY: &[u8] = b"lk_tk_abc";
        let x_api_key = HeaderName::from_static("x-api-key");
        let jwt = ("authorization", &b"Bearer a.b.c"[..]);
        for (lines, chosen, expected) in [
            (&[jwt, ("x-api-key", KEY)][..], None, "key lk_tk_abc"),
            (&[("authorization", b"Basic YTpi"), ("user-api-key", KEY)], None, "key lk_tk_abc"),
            (&[jwt, ("x-api-key", b"other")], None, "conflict"),
            (&[("authorization", b"Bearer opaque"), ("x-api-key", KEY)], None, "conflict"),
            (&[("authorization", b"Bearer opaque"), ("x-api-key", KEY)], Some(&x_api_key), "key lk_tk_abc"),
            (&[jwt], Some(&x_api_key), "nothing"),
            (&[("x-api-key", KEY), ("x-api-key", KEY)], Some(&x_api_key), "conflict"),
        ] {
            assert_eq!(found_in(lines, chosen), expected, "{lines:?} {chosen:?}");
        }
    }
}
