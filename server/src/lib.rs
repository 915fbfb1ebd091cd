//! The program `latchkey`: its configuration, its command line, and what it answers over HTTP.

// The views are deeply nested types.
#![recursion_limit = "256"]

pub mod address;
pub mod api;
pub mod app;
pub mod assets;
pub mod commands;
pub mod config;
pub mod console;
pub mod database_lock;
pub mod file_modes;
pub mod gateway;
pub mod guard;
pub mod health;
pub mod listen;
mod log_throttle;
pub mod metrics;
pub mod problem;
mod redact;
pub mod request_id;
mod request_log;
mod route;
pub mod serve;
pub mod telemetry;
