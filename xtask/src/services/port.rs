use std::{
    io,
    net::{Ipv4Addr, TcpListener},
};

/// Returns the preferred port if it is free, otherwise another.
pub fn free_or(preferred: u16) -> io::Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, preferred)).map_or_else(|_| free(), |_| Ok(preferred))
}

/// Returns a port that was free a moment ago. Another process may take it first, so callers must be ready to retry.
pub fn free() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
