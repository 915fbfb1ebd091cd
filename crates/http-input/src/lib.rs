//! Parsers of what clients send with a request: credentials, cursors, idempotency keys, and the addresses that proxies
//! report. Pure functions of headers and text, which `parser-checks` runs with any input.

pub mod client_address;
pub mod credential;
pub mod cursor;
pub mod idempotency_key;
