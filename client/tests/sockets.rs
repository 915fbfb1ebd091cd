//! Asking and guarding, through real sockets, with something that stands in for a Latchkey.

mod sockets {
    mod guard;
    mod stub;
    mod verify;
}
