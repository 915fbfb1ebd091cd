use std::{
    io,
    net::{Ipv4Addr, TcpListener},
};

/// Free a moment ago. Another may take it first, so whoever uses it must be ready to ask again.
pub fn free() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
