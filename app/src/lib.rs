//! The console: pages that the server renders, and islands in them that the browser brings to life.
//!
//! Pages, routes and everything that touches the engine exist on the server alone, so none of it is sent
//! to the browser. The browser gets the islands, the form's rules from `domain`, and the functions by which
//! the islands call the server.

// The views are deeply nested types.
#![recursion_limit = "256"]

pub mod error;
pub mod functions;
pub mod islands;

mod components;
mod model;

#[cfg(feature = "ssr")]
mod browsers;
#[cfg(feature = "ssr")]
mod console;
#[cfg(feature = "ssr")]
mod numbers;
#[cfg(feature = "ssr")]
mod pages;
#[cfg(feature = "ssr")]
mod reference;
#[cfg(feature = "ssr")]
mod response;
#[cfg(feature = "ssr")]
mod routes;
#[cfg(feature = "ssr")]
mod session;
#[cfg(feature = "ssr")]
mod shell;
#[cfg(feature = "ssr")]
mod times;
#[cfg(feature = "ssr")]
mod url;

#[cfg(feature = "ssr")]
pub use console::{Console, Site};
#[cfg(feature = "ssr")]
pub use reference::{ProblemKind, Reference};
#[cfg(feature = "ssr")]
pub use routes::{page_paths, routes};
