//! From an address to those of IP, for what travels over it.

use std::{io, net::SocketAddr};

use super::Address;

/// Where a client can try, in the order of the resolver; `carrier` is what does not reach a Unix domain socket.
pub(super) async fn to_connect(address: &Address, carrier: &str) -> io::Result<Vec<SocketAddr>> {
    let found = resolve(address, carrier).await?;
    match found.iter().find(|addr| addr.port() == 0) {
        Some(addr) => Err(no_port(*addr)),
        None => Ok(found),
    }
}

/// Where a server is to listen.
pub(super) async fn to_listen(address: &Address, carrier: &str) -> io::Result<SocketAddr> {
    resolve(address, carrier).await?.first().copied().ok_or_else(|| no_address(address))
}

async fn resolve(address: &Address, carrier: &str) -> io::Result<Vec<SocketAddr>> {
    match address.socket_addr() {
        Some(addr) => Ok(vec![addr]),
        None if address.unix_name().is_some() => Err(unreachable(address, carrier)),
        None => Ok(tokio::net::lookup_host(address.to_string()).await?.collect()),
    }
}

pub(super) fn no_address(name: &Address) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("the name {name} has no address"))
}

fn unreachable(address: &Address, carrier: &str) -> io::Error {
    let message = format!("{address} is a Unix domain socket, which {carrier} does not reach");
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

fn no_port(addr: SocketAddr) -> io::Error {
    let message = format!(
        "{addr} has no port to connect to; where a server listens, whatever the transport, is its `Server::address()`"
    );
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
