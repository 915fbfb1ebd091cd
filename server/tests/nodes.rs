//! Several servers on one database, and commands beside them: a change through one of them applies to all.

mod nodes {
    mod cluster;
    mod database_password;
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
    mod revocations;
    mod stalls;
}
