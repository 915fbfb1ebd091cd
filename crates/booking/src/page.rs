//! Paginated lists. A page starts after the last item of the previous one, so items that are added concurrently do not
//! shift it.

use domain::id::Id;

use crate::field::{Errors, FieldError};

const MAX_LIMIT: u16 = 200;

/// The requested page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The page size, 1 to 200.
    pub limit: u16,
    /// The [`Listed::next`] of the previous page.
    pub after: Option<String>,
}

impl Page {
    /// The page in the form that the store expects.
    pub(crate) fn checked<I: Id>(&self) -> Result<PageBounds<I>, Vec<FieldError>> {
        let mut errors = Errors::default();
        errors.check((1..=MAX_LIMIT).contains(&self.limit), "limit", "out_of_range", "Ask for 1 to 200 at a time.");
        let after = self.after.as_deref().and_then(|id| I::parse(id).ok());
        let is_cursor = self.after.is_none() || after.is_some();
        errors.check(is_cursor, "cursor", "not_a_cursor", "Send the cursor of the previous page unchanged.");
        errors.or(PageBounds { limit: self.limit, after })
    }
}

/// A page whose values have been checked.
pub(crate) struct PageBounds<I> {
    limit: u16,
    pub(crate) after: Option<I>,
}

impl<I> PageBounds<I> {
    /// One more than the limit, which shows whether there is another page.
    pub(crate) fn to_read(&self) -> u64 {
        u64::from(self.limit) + 1
    }

    pub(crate) fn listed<T>(&self, mut read: Vec<T>, id: impl Fn(&T) -> String) -> Listed<T> {
        let fits = usize::from(self.limit);
        let next = (read.len() > fits).then(|| id(&read[fits - 1]));
        read.truncate(fits);
        Listed { items: read, next }
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    pub items: Vec<T>,
    /// The start of the next page. None on the last one.
    pub next: Option<String>,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { items: Vec::new(), next: None }
    }
}
