//! Every use case on SQLite and on PostgreSQL.

mod use_cases {
    mod fixture;

    mod availability;
    mod idempotency;
    mod offers;
    mod pages;
    mod races;
    mod reserve;
    mod tenant_isolation;
}
