//! The program `latchkey`: its command line, its configuration, and its HTTP surfaces.

// The views are deeply nested types.
#![recursion_limit = "256"]

pub mod address;
pub mod api;
pub mod app;
pub mod assets;
pub mod background;
pub mod cli;
pub mod commands;
pub mod config;
pub mod console;
pub mod database_lock;
pub mod file_modes;
pub mod gateway;
pub mod guard;
pub mod health;
pub mod installation;
pub mod listen;
mod log_throttle;
pub mod metrics;
pub mod outcome;
mod password_prompt;
pub mod problem;
mod redact;
pub mod request_id;
mod request_log;
mod route;
pub mod serve;
pub mod telemetry;
