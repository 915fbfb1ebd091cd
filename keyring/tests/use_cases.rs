//! Every use case on SQLite and on PostgreSQL.

mod use_cases {
    #[macro_use]
    mod stage;

    mod audit_chain;
    mod audit_log;
    mod demo;
    mod edit;
    mod end;
    mod generate;
    mod groups;
    mod history;
    mod list;
    mod migrate;
    mod personal_keys;
    mod properties;
    mod rotate;
    mod sign_in;
    mod tenants;
}
