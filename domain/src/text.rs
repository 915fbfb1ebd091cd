//! Free text that people type: trimmed, and measured as a person would count it.

use unicode_segmentation::UnicodeSegmentation;

use crate::field::{Field, FieldError};

/// How long a text may be, in characters as a person counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    pub least: usize,
    pub most: usize,
}

/// Why a text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadText {
    Missing,
    TooShort,
    TooLong { count: usize },
    ControlCharacter,
}

impl Length {
    /// The trimmed text, when its length fits. Line breaks and tabs are allowed where `multiline` says so.
    ///
    /// # Errors
    /// When the text is empty though it may not be, too short, too long, or holds control characters.
    pub fn trimmed(self, text: &str, multiline: bool) -> Result<String, BadText> {
        let text = text.trim();
        let count = count(text);
        if text.chars().any(|c| c.is_control() && !(multiline && matches!(c, '\n' | '\r' | '\t'))) {
            return Err(BadText::ControlCharacter);
        }
        if count == 0 && self.least > 0 {
            return Err(BadText::Missing);
        }
        if count < self.least {
            return Err(BadText::TooShort);
        }
        if count > self.most {
            return Err(BadText::TooLong { count });
        }
        Ok(text.to_owned())
    }

    /// The trimmed name of anything, on one line.
    ///
    /// # Errors
    /// Why it was refused, for the person who typed it.
    pub fn name(self, text: &str) -> Result<String, FieldError> {
        self.trimmed(text, false).map_err(|bad| self.bad_name(bad))
    }

    fn bad_name(self, bad: BadText) -> FieldError {
        let Self { least, most } = self;
        let (code, detail) = match bad {
            BadText::Missing => ("required", "Enter a name.".to_owned()),
            BadText::TooShort => ("too_short", format!("Use at least {least} characters.")),
            BadText::TooLong { count } => ("too_long", format!("Use at most {most} characters; these are {count}.")),
            BadText::ControlCharacter => {
                ("control_character", "Remove the line breaks and invisible control characters.".to_owned())
            }
        };
        FieldError::new(Field::Name, code, detail)
    }
}

/// How many characters a person would say there are: an emoji with its skin tone is one.
#[must_use]
pub fn count(text: &str) -> usize {
    text.graphemes(true).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: Length = Length { least: 2, most: 4 };

    #[test]
    fn length_is_counted_as_a_person_counts() {
        assert_eq!(NAME.trimmed("  ab ", false).unwrap(), "ab");
        assert_eq!(NAME.trimmed("a", false), Err(BadText::TooShort));
        assert_eq!(NAME.trimmed("👩‍👩‍👧", false), Err(BadText::TooShort), "one family");
        assert!(NAME.trimmed("👩‍👩‍👧👩🏽‍🚀e\u{301}ß", false).is_ok(), "four to the eye");
        assert_eq!(NAME.trimmed("abcde", false), Err(BadText::TooLong { count: 5 }));
        assert_eq!(NAME.trimmed(" \t\n", false), Err(BadText::Missing));
    }

    #[test]
    fn control_characters_are_refused() {
        assert_eq!(NAME.trimmed("a\0b", false), Err(BadText::ControlCharacter));
        assert_eq!(NAME.trimmed("a\nb", false), Err(BadText::ControlCharacter));
        assert!(NAME.trimmed("a\nb", true).is_ok());
    }
}
