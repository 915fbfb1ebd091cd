//! The shape of a secret: `<product>_<kind>_<43 base62><6 base62>`.
//!
//! The 43 characters carry 256 random bits. The last 6 are the CRC-32 of everything before them, so that
//! a typo or a truncated paste is recognised without a look-up and secret scanners can match it.

use std::fmt;

use serde::{Deserialize, Serialize};

mod redacted;

pub use redacted::redacted;

/// The kind of key that a secret belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    Tenant,
    Personal,
}

impl KeyKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Personal => "personal",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Tenant, Self::Personal].into_iter().find(|kind| kind.as_str() == text)
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Tenant => "tk",
            Self::Personal => "pk",
        }
    }
}

/// The first part of every secret of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product(String);

/// The text cannot stand at the front of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" cannot start a secret. Use 1 to 16 lower-case letters and digits, a letter first")]
pub struct ParseProductError(String);

impl Product {
    /// # Errors
    /// If the text has anything but lower-case letters and digits, or is too long.
    pub fn parse(text: &str) -> Result<Self, ParseProductError> {
        if Self::fits(text) { Ok(Self(text.to_owned())) } else { Err(ParseProductError(text.to_owned())) }
    }

    fn fits(text: &str) -> bool {
        (1..=16).contains(&text.len())
            && text.as_bytes()[0].is_ascii_lowercase()
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    }
}

impl std::str::FromStr for Product {
    type Err = ParseProductError;

    fn from_str(text: &str) -> Result<Self, ParseProductError> {
        Self::parse(text)
    }
}

const RANDOM_CHARACTERS: usize = 43;
const CHECK_CHARACTERS: usize = 6;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Puts a secret together. The caller brings the randomness and wraps the answer.
#[must_use]
pub fn assemble(product: &Product, kind: KeyKind, entropy: [u8; 32]) -> String {
    let mut secret = format!("{}_{}_{}", product.0, kind.code(), base62(entropy));
    let check = base62_of_u32(crc32fast::hash(secret.as_bytes()));
    secret.extend(check.map(char::from));
    secret
}

/// Returns true if a text has the format and the checksum of a secret, so that a lookup is worthwhile.
///
/// The product is not compared, so that an installation which takes another one keeps its keys.
#[must_use]
pub fn is_well_formed(text: &str) -> bool {
    let Some(digits) = after_prefix(text) else { return false };
    digits.len() == RANDOM_CHARACTERS + CHECK_CHARACTERS
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && has_its_checksum(text.as_bytes())
}

/// Returns true if a text begins like a secret, so that an incomplete or mistyped one is recognized as well.
#[must_use]
pub fn has_prefix(text: &str) -> bool {
    after_prefix(text).is_some()
}

/// Returns what follows the product and the kind.
fn after_prefix(text: &str) -> Option<&str> {
    let (product, rest) = split_at_underscore(text)?;
    let (kind, rest) = split_at_underscore(rest)?;
    let is_known = [KeyKind::Tenant, KeyKind::Personal].iter().any(|known| known.code() == kind);
    (is_known && Product::fits(product)).then_some(rest)
}

/// As `split_once('_')`, whose search costs more than a loop over the few bytes of a prefix.
fn split_at_underscore(text: &str) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == b'_')?;
    Some((&text[..at], &text[at + 1..]))
}

fn has_its_checksum(text: &[u8]) -> bool {
    text.split_last_chunk().is_some_and(|(body, check)| base62_of_u32(crc32fast::hash(body)) == *check)
}

/// Returns true if a text contains a complete secret.
#[must_use]
pub fn is_within(text: &str) -> bool {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').any(is_well_formed)
}

/// A big-endian number in base 62, padded to 43 digits: 62^43 is just above 2^256.
fn base62(entropy: [u8; 32]) -> String {
    let mut number = entropy;
    let mut digits = [b'0'; RANDOM_CHARACTERS];
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0u16;
        for byte in &mut number {
            let value = (remainder << 8) | u16::from(*byte);
            *byte = (value / 62) as u8;
            remainder = value % 62;
        }
        *digit = DIGITS[usize::from(remainder)];
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

fn base62_of_u32(mut number: u32) -> [u8; CHECK_CHARACTERS] {
    let mut digits = [b'0'; CHECK_CHARACTERS];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    digits
}

/// The part of a secret that may be shown later: its prefix with 8 characters, and its last 4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretHint {
    pub head: String,
    pub tail: String,
}

impl SecretHint {
    /// The hint of a secret that [`assemble`] made.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        let random_starts = secret.len() - RANDOM_CHARACTERS - CHECK_CHARACTERS;
        Self { head: secret[..random_starts + 8].to_owned(), tail: secret[secret.len() - 4..].to_owned() }
    }
}

impl fmt::Display for SecretHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…{}", self.head, self.tail)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secret(entropy: [u8; 32]) -> String {
        assemble(&Product::parse("lk").unwrap(), KeyKind::Tenant, entropy)
    }

    #[test]
    fn secret_has_the_documented_format() {
        assert_eq!(secret([0; 32]), format!("lk_tk_{}{}", "0".repeat(43), &secret([0; 32])[49..]));
        let largest = secret([255; 32]);
        assert_eq!(largest.len(), "lk_tk_".len() + 43 + 6);
        // 2^256 - 1 in base 62.
        assert!(largest.starts_with("lk_tk_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1"));
        let hint = SecretHint::of(&largest);
        assert_eq!(hint.head.len(), "lk_tk_".len() + 8);
        assert!(largest.starts_with(&hint.head) && largest.ends_with(&hint.tail));
    }

    #[test]
    fn product_prefix_is_short_and_plain() {
        for good in ["lk", "a", "acme2"] {
            assert!(Product::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "Lk", "l_k", "1k", "ä", "abcdefghijklmnopq"] {
            assert!(Product::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn secret_is_found_in_surrounding_text() {
        let secret = secret([7; 32]);
        for text in [&secret, &format!("the key is {secret}."), &format!("key={secret}\n"), &format!("“{secret}”")]
        {
            assert!(is_within(text), "{text}");
        }
        for text in ["", "lk_tk_", &SecretHint::of(&secret).to_string(), &format!("{secret}x")] {
            assert!(!is_within(text), "{text}");
        }
    }

    #[test]
    fn anything_but_a_complete_secret_is_malformed() {
        let good = secret([7; 32]);
        assert!(is_well_formed(&good));
        assert!(is_well_formed(&assemble(&Product::parse("acme2").unwrap(), KeyKind::Personal, [9; 32])));
        let other_kind = good.replacen("_tk_", "_xk_", 1);
        let other_case = good.to_uppercase();
        for bad in
            ["", "lk", "lk_tk_", "__", "eyJhbGciOi.J9.x", &good[1..], &other_kind, &other_case, &format!("{good} ")]
        {
            assert!(!is_well_formed(bad), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn typo_or_truncation_is_detected(entropy: [u8; 32], place in 6usize..55, digit in 0usize..62, cut in 1usize..55) {
            let good = secret(entropy);
            prop_assert!(is_well_formed(&good));
            let mut typo = good.clone().into_bytes();
            typo[place] = DIGITS[digit];
            let typo = String::from_utf8(typo).unwrap();
            prop_assert_eq!(is_well_formed(&typo), typo == good);
            prop_assert!(!is_well_formed(&good[..good.len() - cut]));
            let longer = format!("{good}0");
            prop_assert!(!is_well_formed(&longer));
        }

        #[test]
        fn secrets_are_one_word_and_end_with_their_checksum(entropy: [u8; 32]) {
            let secret = secret(entropy);
            prop_assert!(secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
            let (body, check) = secret.split_at(secret.len() - CHECK_CHARACTERS);
            prop_assert_eq!(base62_of_u32(crc32fast::hash(body.as_bytes())), check.as_bytes());
        }

        #[test]
        fn different_entropy_makes_different_secrets(a: [u8; 32], b: [u8; 32]) {
            prop_assert_eq!(a == b, secret(a) == secret(b));
        }
    }
}
