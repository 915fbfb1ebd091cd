//! A PostgreSQL and a Redis that live as long as one test run: free ports, own directories, nothing left behind.

mod port;
mod postgres;
mod redis;
mod service;

pub use port::free as free_port;
pub use postgres::{Postgres, Programs as PostgresPrograms};
pub use redis::{Redis, program as redis_program};
