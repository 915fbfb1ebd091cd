use std::{
    io,
    net::{Ipv4Addr, TcpListener},
};

/// Returns a port that was free a moment ago. Another process may take it first, so callers must be ready to retry.
pub fn free() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
