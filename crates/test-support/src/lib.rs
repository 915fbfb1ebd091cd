//! Fixtures shared by the tests of all crates.

pub mod databases;
pub mod program;
pub mod test_app;

pub use test_requirements::requires;
