//! Tests of the program's surfaces, over real sockets and the real command line.

mod surfaces {
    mod access_log;
    mod audit;
    mod booking;
    mod change_limit;
    mod commands;
    mod connections;
    mod file_modes;
    mod forms;
    mod functions;
    mod guard;
    mod health;
    mod help;
    mod http2;
    mod lost_access;
    mod matrix;
    mod operations;
    mod overload;
    mod people;
    mod request_id;
    mod second_factor;
    mod secret_keys;
    mod security_events;
}
