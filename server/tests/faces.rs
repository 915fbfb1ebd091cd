//! The program's faces, through real sockets and the real command line.

mod faces {
    mod commands;
    mod functions;
    mod guard;
    #[path = "../support/program.rs"]
    mod program;
}
