//! The client's address, which the middleware puts on every request.

use axum::http::Extensions;
use http_input::client_address::ClientAddress;

/// Returns the address of the client that sent this request.
pub fn from_extensions(extensions: &Extensions) -> ClientAddress {
    let Some(address) = extensions.get().copied() else {
        unreachable!("the server puts the client's address on every request")
    };
    address
}
