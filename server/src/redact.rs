//! Text from outside that is written down or sent back: short, and without a secret.

use domain::secret::redacted;

/// No id and no name of ours is longer. Tokens and encoded passwords, which no rule recognises, are.
const MAX_ECHOED_CHARS: usize = 40;
const SHOWN_CHARS: usize = 8;

/// One word. Of a secret, or of what is as long as one, only the front is left.
pub fn word(text: &str) -> String {
    let safe = redacted(text);
    if safe.chars().count() <= MAX_ECHOED_CHARS {
        return safe.into_owned();
    }
    safe.chars().take(SHOWN_CHARS).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlong_text_is_truncated() {
        let token = format!("eyJhbGciOiJIUzI1NiJ9.{}", "x".repeat(60));
        for (text, expected) in [
            ("prp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB", "prp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB"),
            (&token, "eyJhbGci…"),
            ("lk_tk_0123456789abcdefghij", "lk_tk_0123…"),
            (&"ä".repeat(41), "ääääääää…"),
            ("", ""),
        ] {
            assert_eq!(word(text), expected);
        }
    }
}
