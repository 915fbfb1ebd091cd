//! The credential of a request, found where Latchkey's own API finds it.

use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use secrecy::SecretString;

const KEY_HEADERS: [HeaderName; 3] =
    [AUTHORIZATION, HeaderName::from_static("x-api-key"), HeaderName::from_static("user-api-key")];

pub enum FoundCredential {
    Key(SecretString),
    /// A password or token of a person. Only Latchkey's own API accepts one, until its sunset.
    Password,
    Nothing,
    /// Two different credentials, or one header twice: it is not clear which one was meant.
    Conflict,
}

/// A credential as its header spells it.
#[derive(PartialEq, Eq)]
enum CredentialHeader<'a> {
    Token(&'a [u8]),
    Basic(&'a [u8]),
}

/// The one credential of a request.
pub fn find_credential(headers: &HeaderMap) -> FoundCredential {
    let mut found: Option<CredentialHeader<'_>> = None;
    for name in KEY_HEADERS {
        let mut values = headers.get_all(&name).iter();
        let first = values.next();
        if values.next().is_some() {
            return FoundCredential::Conflict;
        }
        let Some(spelled) = first.and_then(|value| spelled(&name, value)) else { continue };
        match &found {
            Some(other) if *other != spelled => return FoundCredential::Conflict,
            _ => found = Some(spelled),
        }
    }
    match found {
        None => FoundCredential::Nothing,
        Some(CredentialHeader::Basic(_)) => FoundCredential::Password,
        // Bytes that are not text are no key, and neither is a lossy conversion of them.
        Some(CredentialHeader::Token(key)) => FoundCredential::Key(String::from_utf8_lossy(key).into_owned().into()),
    }
}

/// None for an empty header and for a scheme that is not ours.
fn spelled<'a>(name: &HeaderName, value: &'a HeaderValue) -> Option<CredentialHeader<'a>> {
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
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_bytes(value).unwrap());
        }
        match find_credential(&headers) {
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
}
