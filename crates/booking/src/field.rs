//! Validation errors, by field.

use std::fmt;

use domain::text::Length;

/// An error of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name on the wire.
    pub field: &'static str,
    /// For programs: stable, lower case.
    pub code: String,
    /// For people: what is wrong and what to write instead.
    pub detail: String,
}

impl FieldError {
    pub(crate) fn new(field: &'static str, code: &str, detail: impl Into<String>) -> Self {
        Self { field, code: code.to_owned(), detail: detail.into() }
    }

    /// A refusal of the domain's, at a field of ours.
    pub(crate) fn at(field: &'static str, refusal: domain::field::FieldError) -> Self {
        Self { field, code: refusal.code, detail: refusal.detail }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.detail)
    }
}

/// The errors found so far.
#[derive(Default)]
pub(crate) struct Errors(Vec<FieldError>);

impl Errors {
    pub(crate) fn check(&mut self, is_right: bool, field: &'static str, code: &str, detail: &str) {
        if !is_right {
            self.0.push(FieldError::new(field, code, detail));
        }
    }

    /// The trimmed text, when it fits.
    pub(crate) fn text(&mut self, field: &'static str, length: Length, text: &str) -> String {
        self.collect(length.name(text).map_err(|refusal| FieldError::at(field, refusal)))
    }

    /// The value that was read, or one that is never used because its error is kept.
    pub(crate) fn collect<T: Default>(&mut self, read: Result<T, FieldError>) -> T {
        read.unwrap_or_else(|error| {
            self.0.push(error);
            T::default()
        })
    }

    /// The value, when nothing was wrong.
    pub(crate) fn or<T>(self, value: T) -> Result<T, Vec<FieldError>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }
}
