//! The parameters of an auth request, taken one at a time, with all errors collected.

use crate::problem::{Problem, WrongField};

/// The parameters that were sent, and the errors found so far.
pub struct Parameters {
    pairs: Vec<(String, String)>,
    errors: Vec<WrongField>,
}

impl Parameters {
    /// Parses a query, which may contain anything.
    pub fn parse(text: &[u8]) -> Self {
        Self { pairs: form_urlencoded::parse(text).into_owned().collect(), errors: Vec::new() }
    }

    /// The names that were sent.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|(name, _)| name.as_str())
    }

    pub fn first(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Returns true if nginx sends the auth request.
    pub fn is_nginx(&self) -> bool {
        self.first("mode") == Some("nginx")
    }

    pub fn reject(&mut self, field: &str, code: &str, detail: impl Into<String>) {
        self.errors.push(WrongField::new(field, code, detail));
    }

    /// Returns an optional parameter. Sending it twice is an error.
    pub fn single(&mut self, name: &str) -> Option<String> {
        let mut values = self.pairs.iter().filter(|(own, _)| own == name).map(|(_, value)| value.clone());
        let (first, more) = (values.next(), values.next().is_some());
        if more {
            self.reject(name, "sent_twice", format!("Send {name} once."));
            return None;
        }
        first
    }

    /// Returns the value if no parameter was rejected.
    ///
    /// # Errors
    /// Reports every rejected parameter.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Problem> {
        value.filter(|_| self.errors.is_empty()).ok_or_else(|| Problem::invalid(self.errors))
    }
}
