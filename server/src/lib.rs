//! The program `latchkey`: its configuration, its command line, and what it answers over HTTP.

pub mod address;
pub mod assets;
pub mod commands;
pub mod config;
pub mod console;
pub mod guard;
pub mod owner;
pub mod serve;
pub mod telemetry;
