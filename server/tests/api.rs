//! The public API, through real sockets, with keys that the real command line makes.

mod api {
    mod address;
    mod client;
    mod cors;
    mod crash;
    mod credentials;
    mod evaluator;
    mod gateway;
    /// The example in the documentation.
    #[path = "../../../docs/guides/examples/guard.rs"]
    mod guard;
    mod openapi;
    mod problems;
    mod rate_limit;
    mod secrets;
    mod snippets;
    mod usage;
    mod v1 {
        mod archived_properties;
        mod auth_token;
        mod availability;
        mod key;
        mod keys;
        mod packages;
        mod properties;
        mod reservations;
        mod services;
    }
}
