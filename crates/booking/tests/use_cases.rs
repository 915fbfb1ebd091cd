//! Every use case on SQLite and on PostgreSQL.

mod use_cases {
    #[macro_use]
    mod stage;

    mod availability;
    mod demo;
    mod idempotency;
    mod offers;
    mod pages;
    mod races;
    mod reserve;
    mod tenant_isolation;
}
