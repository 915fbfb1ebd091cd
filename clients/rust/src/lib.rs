#![doc = include_str!("../README.md")]

mod answer;
mod client;
mod error;
#[cfg(feature = "tower")]
mod guard;
mod request;

pub use answer::{Answer, Caller, Owner, RateLimit, Refusal, Rotation, Tenant, Verdict};
pub use client::{Builder, Latchkey};
pub use error::Error;
#[cfg(feature = "tower")]
pub use guard::{Guard, Guarded};
pub use request::VerifyRequest;
