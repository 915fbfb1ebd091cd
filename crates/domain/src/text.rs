//! Free text that people type: trimmed, and measured as a person would count it.

use unicode_segmentation::UnicodeSegmentation;

use crate::field::{Field, FieldError};

/// A length limit in characters as people count them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    pub least: usize,
    pub most: usize,
}

/// A character as people see it can be made of any number of code points, such as a letter under a pile of accents. On
/// the average a text's characters may take as many bytes as the longest code point.
const MAX_BYTES_PER_CHARACTER: usize = 4;

/// Why a text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidText {
    Missing,
    TooShort,
    TooLong { count: usize },
    TooManyBytes { bytes: usize },
    ControlCharacter,
    InvisibleCharacter,
}

impl Length {
    /// The trimmed text, when its length fits. Line breaks, tabs and invisible characters are allowed where `multiline`
    /// says so.
    ///
    /// # Errors
    /// If the text is empty though it may not be, too short, too long, or holds control characters.
    pub fn trimmed(self, text: &str, multiline: bool) -> Result<String, InvalidText> {
        let text = text.trim();
        let count = count(text);
        if text.chars().any(|c| c.is_control() && !(multiline && matches!(c, '\n' | '\r' | '\t'))) {
            return Err(InvalidText::ControlCharacter);
        }
        if !multiline && has_invisible_characters(text) {
            return Err(InvalidText::InvisibleCharacter);
        }
        if count == 0 && self.least > 0 {
            return Err(InvalidText::Missing);
        }
        if count < self.least {
            return Err(InvalidText::TooShort);
        }
        if count > self.most {
            return Err(InvalidText::TooLong { count });
        }
        if text.len() > self.max_bytes() {
            return Err(InvalidText::TooManyBytes { bytes: text.len() });
        }
        Ok(text.to_owned())
    }

    const fn max_bytes(self) -> usize {
        self.most * MAX_BYTES_PER_CHARACTER
    }

    /// The trimmed name of anything, on one line.
    ///
    /// # Errors
    /// Why it was refused, for the person who typed it.
    pub fn name(self, text: &str) -> Result<String, FieldError> {
        self.trimmed(text, false).map_err(|bad| {
            let (code, detail) = self.explain(bad);
            FieldError::new(Field::Name, code, detail)
        })
    }

    /// Returns the error's code, and its message for the person who typed the text.
    #[must_use]
    pub fn explain(self, bad: InvalidText) -> (&'static str, String) {
        let Self { least, most } = self;
        match bad {
            InvalidText::Missing => ("required", "Enter a name.".to_owned()),
            InvalidText::TooShort => ("too_short", format!("Use at least {least} characters.")),
            InvalidText::TooLong { count } => ("too_long", format!("Use at most {most} characters; these are {count}.")),
            InvalidText::TooManyBytes { bytes } => {
                let most = self.max_bytes();
                ("too_long", format!("Use at most {most} bytes; these are {bytes}. Stacked accents take many."))
            }
            InvalidText::ControlCharacter => {
                ("control_character", "Remove the line breaks and invisible control characters.".to_owned())
            }
            InvalidText::InvisibleCharacter => (
                "invisible_character",
                "Remove the invisible characters, such as zero-width spaces and marks that turn the direction of text. \
                 They come along when text is copied: type it instead."
                    .to_owned(),
            ),
        }
    }
}

/// Counts the characters as people do: an emoji with its skin tone is one.
#[must_use]
pub fn count(text: &str) -> usize {
    text.graphemes(true).count()
}

/// Returns whether a text holds invisible characters, by which two names can look the same or be read in another order.
/// A joiner or a variation selector is allowed where it shapes its neighbours, as emoji and some scripts need it.
fn has_invisible_characters(text: &str) -> bool {
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let shapes = |c: char| is_shaped(c) && !is_variation_selector(c);
        let is_hidden = match c {
            ZERO_WIDTH_JOINER | ZERO_WIDTH_NON_JOINER => {
                !(before.is_some_and(is_shaped) && rest.peek().copied().is_some_and(shapes))
            }
            _ if is_variation_selector(c) => !before.is_some_and(|c| shapes(c) || is_emoji_in_ascii_or_latin(c)),
            _ => is_invisible(c),
        };
        if is_hidden {
            return true;
        }
        before = Some(c);
    }
    false
}

const ZERO_WIDTH_NON_JOINER: char = '\u{200C}';
const ZERO_WIDTH_JOINER: char = '\u{200D}';

/// The general category Cf, the separators of lines and paragraphs, and the blanks that count as letters or symbols.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}'
            | '\u{34F}'
            | '\u{600}'..='\u{605}'
            | '\u{61C}'
            | '\u{6DD}'
            | '\u{70F}'
            | '\u{890}'..='\u{891}'
            | '\u{8E2}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180E}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{110BD}'
            | '\u{110CD}'
            | '\u{13430}'..='\u{1343F}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E007F}'
    )
}

const fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{180B}'..='\u{180D}' | '\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// Returns true if a joiner or a variation selector can change how a character looks: from Arabic on, except for the
/// Latin and Greek letters there.
const fn is_shaped(c: char) -> bool {
    c >= '\u{600}' && !matches!(c, '\u{1E00}'..='\u{206F}') && !is_invisible(c)
}

/// The characters before that which are emoji when a variation selector follows: digits of keycaps, © and ®.
const fn is_emoji_in_ascii_or_latin(c: char) -> bool {
    matches!(c, '#' | '*' | '0'..='9' | '\u{A9}' | '\u{AE}' | '\u{203C}' | '\u{2049}')
}

#[cfg(test)]
mod tests {
    use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

    use super::*;

    const NAME: Length = Length { least: 2, most: 10 };

    #[test]
    fn length_is_counted_in_graphemes() {
        assert_eq!(NAME.trimmed("  ab ", false).unwrap(), "ab");
        assert_eq!(NAME.trimmed("a", false), Err(InvalidText::TooShort));
        assert_eq!(NAME.trimmed("👩‍👩‍👧", false), Err(InvalidText::TooShort), "one family");
        let three = Length { least: 2, most: 3 };
        assert_eq!(three.trimmed("👩e\u{301}ß", false).unwrap(), "👩e\u{301}ß", "three to the eye");
        assert_eq!(three.trimmed("abcd", false), Err(InvalidText::TooLong { count: 4 }));
        assert_eq!(NAME.trimmed(" \t\n", false), Err(InvalidText::Missing));
    }

    #[test]
    fn text_takes_at_most_four_bytes_for_each_character() {
        let stacked = |accents: usize| format!("a{}b", "\u{301}".repeat(accents));
        assert_eq!(stacked(19).len(), 40);
        for multiline in [false, true] {
            assert!(NAME.trimmed(&stacked(19), multiline).is_ok());
            assert_eq!(NAME.trimmed(&stacked(20), multiline), Err(InvalidText::TooManyBytes { bytes: 42 }));
            assert!(NAME.trimmed(&"🚀".repeat(10), multiline).is_ok(), "four bytes each");
        }
        assert_eq!(NAME.trimmed(&stacked(20_000), false), Err(InvalidText::TooManyBytes { bytes: 40_002 }));
        let refused = NAME.name(&stacked(20)).unwrap_err();
        assert_eq!(refused.code, "too_long");
        assert!(refused.detail.starts_with("Use at most 40 bytes; these are 42."), "{}", refused.detail);
    }

    #[test]
    fn control_characters_are_refused() {
        assert_eq!(NAME.trimmed("a\0b", false), Err(InvalidText::ControlCharacter));
        assert_eq!(NAME.trimmed("a\nb", false), Err(InvalidText::ControlCharacter));
        assert!(NAME.trimmed("a\nb", true).is_ok());
    }

    #[test]
    fn invisible_characters_are_refused_in_names() {
        for (name, what) in [
            ("Front\u{200B}desk", "zero-width space"),
            ("PMS\u{200B}", "zero-width space at the end"),
            ("\u{FEFF}PMS", "byte order mark"),
            ("P\u{AD}MS", "soft hyphen"),
            ("P\u{2060}MS", "word joiner"),
            ("\u{202E}SMP", "right-to-left override"),
            ("PMS \u{2066}x\u{2069}", "isolates"),
            ("PMS\u{200F}", "right-to-left mark"),
            ("P\u{61C}MS", "Arabic letter mark"),
            ("P\u{2028}MS", "line separator"),
            ("\u{3164}\u{3164}", "Hangul fillers alone"),
            ("\u{2800}\u{2800}", "blank Braille patterns alone"),
            ("\u{200D}\u{200D}", "joiners alone"),
            ("\u{FE0F}\u{FE0F}", "variation selectors alone"),
            ("P\u{200D}MS", "joiner between Latin letters"),
            ("\u{41F}\u{200C}\u{41C}", "joiner between Cyrillic letters"),
            ("\u{1EA0}\u{200D}\u{1EA0}", "joiner between Vietnamese letters"),
            ("PMS\u{FE0F}", "variation selector after a Latin letter"),
            ("❤\u{FE0F}\u{FE0F}", "two variation selectors"),
            ("👩\u{200D}", "joiner with nothing to join"),
            ("👩\u{200D}\u{200D}👧", "two joiners"),
            ("PMS\u{E0041}\u{E0042}", "tags"),
        ] {
            assert_eq!(NAME.trimmed(name, false), Err(InvalidText::InvisibleCharacter), "{what}");
        }
        assert_eq!(NAME.name("a\u{200B}b").unwrap_err().code, "invisible_character");
        assert!(NAME.trimmed("a\u{200B}b", true).is_ok(), "a description may have it");
    }

    #[test]
    fn joiners_stay_where_emoji_and_scripts_need_them() {
        for name in [
            "👩🏽\u{200D}🚀 1",
            "❤\u{FE0F}\u{200D}🔥 2",
            "🏳\u{FE0F}\u{200D}🌈 3",
            "1\u{FE0F}\u{20E3} 4",
            "©\u{FE0F} 5",
            "می\u{200C}خواهم",
            "ශ්\u{200D}රී",
            "辻\u{E0100} 6",
            "Łódź",
            "東京",
            "עברית",
        ] {
            assert_eq!(NAME.trimmed(name, false).as_deref(), Ok(name));
        }
    }

    #[test]
    fn every_format_character_is_refused_in_names() {
        for c in (char::MIN..=char::MAX).filter(|c| c.general_category() == GeneralCategory::Format) {
            assert_eq!(NAME.trimmed(&format!("a{c}b"), false), Err(InvalidText::InvisibleCharacter), "{c:?}");
        }
    }
}
