//! Tests of the client and the guard over real sockets, against a stub of Latchkey.

mod sockets {
    mod guard;
    mod stub;
    mod verify;
}
