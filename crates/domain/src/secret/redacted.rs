//! Text from outside, made safe for logs: anything that looks like a secret is shortened.

use std::borrow::Cow;

/// The middle of a secret, between its product and its random characters.
const SECRET_KINDS: [&[u8; 4]; 2] = [b"_tk_", b"_pk_"];
/// The number of characters after a kind from which a text is treated as a secret, even if truncated.
const MIN_REDACTED_CHARS: usize = 8;
/// Enough to recognize the key, far too few to use it.
const SHOWN_CHARACTERS: usize = 4;

/// The text with every secret in it cut down to its first characters and an ellipsis, percent-encoded ones too.
#[must_use]
pub fn redacted(text: &str) -> Cow<'_, str> {
    if !text.contains(['_', '%']) {
        return Cow::Borrowed(text);
    }
    let bytes = decoded(text);
    let mut safe = String::new();
    let mut copied = 0;
    for random_starts in random_parts(&bytes) {
        let random = bytes[random_starts..].iter().take_while(|byte| byte.value.is_ascii_alphanumeric());
        let length = random.count();
        if length >= MIN_REDACTED_CHARS {
            safe.push_str(&text[copied..bytes[random_starts + SHOWN_CHARACTERS].start]);
            safe.push('…');
            copied = bytes[random_starts + length - 1].end;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    safe.push_str(&text[copied..]);
    Cow::Owned(safe)
}

/// A byte as its reader will understand it, and where in the text it is written.
struct Decoded {
    value: u8,
    start: usize,
    end: usize,
}

/// Percent-encoding undone, however often it was applied.
fn decoded(text: &str) -> Vec<Decoded> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut start = 0;
    while let Some(&plain) = text.as_bytes().get(start) {
        let (value, end) = percent_encoded(text.as_bytes(), start).unwrap_or((plain, start + 1));
        bytes.push(Decoded { value, start, end });
        start = end;
    }
    bytes
}

/// The byte that is written as `%41`, or encoded again as `%2541`, and where its writing ends.
fn percent_encoded(text: &[u8], start: usize) -> Option<(u8, usize)> {
    let mut digits = text[start..].strip_prefix(b"%")?;
    while let Some(more) = digits.strip_prefix(b"25") {
        digits = more;
    }
    let value = hex_digit(*digits.first()?)? * 16 + hex_digit(*digits.get(1)?)?;
    Some((value, text.len() - digits.len() + 2))
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Finds where the random part of a possible secret starts. The product prefix before it is ignored, since a stray
/// percent sign could have swallowed it.
fn random_parts(bytes: &[Decoded]) -> impl Iterator<Item = usize> {
    let kind_length = SECRET_KINDS[0].len();
    let is_kind = |window: &[Decoded]| SECRET_KINDS.iter().any(|kind| window.iter().map(|byte| &byte.value).eq(*kind));
    let starts = bytes.windows(kind_length).enumerate().filter(move |(_, window)| is_kind(window));
    starts.map(move |(index, _)| index + kind_length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::secret::{KeyKind, Product, assemble};

    #[test]
    fn secrets_are_shortened_and_other_text_is_kept() {
        for (text, expected) in [
            ("/v1/lk_tk_0123456789abcdefghij/edit", "/v1/lk_tk_0123…/edit"),
            ("acme2_pk_ABCDEFGH", "acme2_pk_ABCD…"),
            ("lk_tk_ABCDEFGHIJ lk_pk_KLMNOPQRST", "lk_tk_ABCD… lk_pk_KLMN…"),
            ("XXlk_tk_ABCDEFGHIJ", "XXlk_tk_ABCD…"),
            ("averyveryverylongproductname_tk_ABCDEFGHIJ", "averyveryverylongproductname_tk_ABCD…"),
            ("lk_tk_aaaaaaaaaa_tk_bbbbbbbbbb", "lk_tk_aaaa…_tk_bbbb…"),
            ("a_tk_b_pk_cccccccc", "a_tk_b_pk_cccc…"),
            ("ä%lk_tk_ABCDEFGHIJ%", "ä%lk_tk_ABCD…%"),
            ("/%ab_tk_ABCDEFGHIJ", "/%ab_tk_ABCD…"),
            // Encoded once, in its random part, twice, and in part.
            ("lk%5Ftk%5fABCDEFGHIJ", "lk%5Ftk%5fABCD…"),
            ("lk_tk_%41BCD%45FGHIJ%2Fmore", "lk_tk_%41BCD…%2Fmore"),
            ("lk%255Ftk%25255FABCDEFGHIJ", "lk%255Ftk%25255FABCD…"),
            ("%6Ck_tk_ABCDEFG%48", "%6Ck_tk_ABCD…"),
        ] {
            assert_eq!(redacted(text), expected);
        }
    }

    #[test]
    fn text_without_secrets_is_unchanged() {
        for text in [
            "",
            "/tenant-api-keys?status=active",
            "key_01J0000000000000000000000",
            "lk_tk_ABCDEFG",
            "lk_tk_ABCDEFG-HIJ",
            "lk_sk_ABCDEFGHIJ",
            "lk-tk_ABCDEFGHIJ",
            "100%_done",
            "%",
            "%2",
            "%zz_tk_",
            "lk_tk_",
        ] {
            assert!(matches!(redacted(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    fn product() -> impl Strategy<Value = String> {
        "[a-z][a-z0-9]{0,15}"
    }

    /// A secret, each byte of which may be percent-encoded any number of times.
    fn encoded(secret: &str, times: &[usize]) -> String {
        let encode = |(byte, times): (u8, &usize)| match times {
            0 => char::from(byte).to_string(),
            times => format!("%{}{byte:02X}", "25".repeat(times - 1)),
        };
        secret.bytes().zip(times.iter().cycle()).map(encode).collect()
    }

    proptest! {
        #[test]
        fn secrets_are_redacted_at_any_position(
            before in ".{0,20}", after in ".{0,20}", product in product(), entropy: [u8; 32], personal: bool,
            times in proptest::collection::vec(0..4_usize, 1..9),
        ) {
            let kind = if personal { KeyKind::Personal } else { KeyKind::Tenant };
            let secret = assemble(&Product::parse(&product).unwrap(), kind, entropy);
            let text = format!("{before}{}{after}", encoded(&secret, &times));
            let safe = redacted(&text);
            let bytes = decoded(&safe).iter().map(|byte| byte.value).collect::<Vec<_>>();
            let random = &secret.as_bytes()[product.len() + 4..];
            prop_assert!(!bytes.windows(MIN_REDACTED_CHARS).any(|window| random.windows(MIN_REDACTED_CHARS).any(|part| part == window)));
            prop_assert!(matches!(redacted(&safe), Cow::Borrowed(_)), "what is redacted stays as it is");
        }

        #[test]
        fn any_text_can_be_redacted(text in "[lk_tp%25aA4ä…]{0,60}") {
            let safe = redacted(&text).into_owned();
            prop_assert!(matches!(redacted(&safe), Cow::Borrowed(_)));
        }
    }
}
