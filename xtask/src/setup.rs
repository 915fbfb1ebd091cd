//! From a machine with Rust and Node to one that can build and test everything.

mod browser;
mod debian;
mod python;
mod rust;

pub use browser::{chromium, end2end};
pub use debian::{Tool, programs};
pub use python::schemathesis;
pub use rust::{components, wasm_target};
