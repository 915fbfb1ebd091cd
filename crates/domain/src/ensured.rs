//! Creating something unless it exists.

/// The outcome of creating something unless there is one with the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ensured<Created, Existing = Created> {
    Created(Created),
    Existing(Existing),
}
