//! Several servers on one database, and commands beside them: a change through one of them applies to all.

mod nodes {
    #[expect(dead_code, reason = "the tests of the API use the rest of it")]
    #[macro_use]
    #[path = "../api/stage.rs"]
    mod stage;

    mod cluster;
    mod disk;
    mod expiry;
    mod full_disk;
    mod grants;
    mod io_faults;
    mod lost_commit;
    mod memory;
    mod network_partition;
    mod outage;
    mod postgres;
    #[expect(dead_code, reason = "as above")]
    #[path = "../support/program.rs"]
    mod program;
    mod revocations;
    mod stalls;
}
