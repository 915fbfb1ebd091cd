//! Every use case on SQLite and on PostgreSQL.

mod use_cases {
    #[macro_use]
    mod stage;

    mod availability;
    mod borders;
    mod demo;
    mod offers;
    mod pages;
    mod races;
    mod repeat;
    mod reserve;
}
