//! Every use case on SQLite and on PostgreSQL.

mod use_cases {
    mod fixture;

    mod access_tokens;
    mod audit_chain;
    mod audit_log;
    mod cancellation;
    mod change_limit;
    mod edit;
    mod failed_attempts;
    mod generate;
    mod groups;
    mod history;
    mod impersonation;
    mod list;
    mod lost_access;
    mod migrate;
    mod mutations;
    mod names;
    mod passwords;
    mod people;
    mod permissions;
    mod personal_keys;
    mod profile;
    mod properties;
    mod revoke_and_delete;
    mod rotate;
    mod second_factor;
    mod secret_keys;
    mod sign_in;
    mod step_up;
    mod tenants;
    mod usage;
}
