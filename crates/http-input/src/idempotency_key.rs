//! `Idempotency-Key`: a structured-field string with its quotes, or a bare word.

use http::{HeaderMap, HeaderName};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

const MAX_IDEMPOTENCY_KEY_CHARS: usize = 255;

/// The header is sent twice, empty, too long, or no string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Send one text in quotes, such as a UUID, of 1 to 255 plain characters.")]
pub struct InvalidIdempotencyKey;

/// Returns the idempotency key of a request, if it has one.
///
/// # Errors
/// If it is invalid.
pub fn find_idempotency_key(headers: &HeaderMap) -> Result<Option<String>, InvalidIdempotencyKey> {
    let mut lines = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    let key = line.to_str().ok().and_then(|text| parse_idempotency_key(text.trim())).filter(|_| lines.next().is_none());
    key.map(Some).ok_or(InvalidIdempotencyKey)
}

fn parse_idempotency_key(text: &str) -> Option<String> {
    let key = match text.strip_prefix('"') {
        Some(quoted) => unquoted(quoted)?,
        None => Some(text.to_owned()).filter(|word| word.bytes().all(is_of_word))?,
    };
    (1..=MAX_IDEMPOTENCY_KEY_CHARS).contains(&key.len()).then_some(key)
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b',' | b';')
}

/// RFC 9651, section 3.3.3: a backslash stands before a quote or another backslash, and nowhere else.
fn unquoted(text: &str) -> Option<String> {
    let mut key = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return characters.next().is_none().then_some(key),
            '\\' => key.push(characters.next().filter(|next| matches!(next, '"' | '\\'))?),
            plain if plain == ' ' || plain.is_ascii_graphic() => key.push(plain),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn strings_and_bare_words_are_keys() {
        for (text, expected) in [
            (r#""8e03978e-40d5-43dd-bc93-6894a57f9324""#, Some("8e03978e-40d5-43dd-bc93-6894a57f9324")),
            ("8e03978e", Some("8e03978e")),
            (r#""a \"b\" \\ c""#, Some(r#"a "b" \ c"#)),
            ("", None),
            (r#""""#, None),
            (r#""open"#, None),
            (r#""a" "b""#, None),
            (r#""a\b""#, None),
            ("two words", None),
            ("a,b", None),
            (r#""ä""#, None),
        ] {
            assert_eq!(parse_idempotency_key(text).as_deref(), expected, "{text}");
        }
        assert!(parse_idempotency_key(&"x".repeat(255)).is_some());
        assert!(parse_idempotency_key(&"x".repeat(256)).is_none());
    }

    proptest! {
        #[test]
        fn quoted_string_is_unescaped(key in "[ -~]{1,80}") {
            let quoted = format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""));
            prop_assert_eq!(parse_idempotency_key(&quoted), Some(key));
        }
    }
}
