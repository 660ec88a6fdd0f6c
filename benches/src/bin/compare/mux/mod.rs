//! A multiplexer with nothing of an RPC in it: the least that many calls on one connection cost.
//!
//! A frame is the length of its payload and the number of its call, 4 bytes each, and the payload.

mod client;
mod server;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use rustls::pki_types::ServerName;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use self::client::Client;
use crate::{
    Failure,
    load::Caller,
    net::{self, Link},
    process::System,
};

#[derive(Debug)]
pub(crate) struct Mux {
    link: Link,
    certificates: PathBuf,
}

impl Mux {
    pub(crate) fn new(link: Link, certificates: &Path) -> Self {
        Self { link, certificates: certificates.to_owned() }
    }
}

impl System for Mux {
    type Caller = Client;

    async fn serve(&self) -> Result<SocketAddr, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let tls = match self.link {
            Link::Tcp => None,
            Link::Tls => Some(TlsAcceptor::from(net::acceptor(&self.certificates)?)),
            Link::Quic => return Err("the bare multiplexer does not speak QUIC".into()),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let tls = tls.clone();
                tokio::spawn(async move {
                    stream.set_nodelay(true)?;
                    match tls {
                        None => server::serve(stream).await,
                        Some(tls) => server::serve(tls.accept(stream).await?).await,
                    }
                });
            }
        });
        Ok(address)
    }

    async fn connect(&self, to: SocketAddr, callers: usize) -> Result<Vec<Client>, Failure> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        let client = match self.link {
            Link::Tls => {
                let tls = TlsConnector::from(net::connector(&self.certificates)?);
                Client::over(tls.connect(ServerName::from(to.ip()), stream).await?)
            }
            Link::Tcp | Link::Quic => Client::over(stream),
        };
        Ok(vec![client; callers])
    }
}

impl Caller for Client {
    async fn call(&mut self, payload: &Bytes) -> Result<usize, Failure> {
        Ok(Client::call(self, payload).await.len())
    }
}

/// How much is read at a time.
const READ_BYTES: usize = 256 << 10;

fn put(out: &mut BytesMut, id: u32, payload: &[u8]) {
    out.put_u32_le(payload.len() as u32);
    out.put_u32_le(id);
    out.put_slice(payload);
}

/// Takes a frame off the front, if it is whole.
fn take(bytes: &mut BytesMut) -> Option<(u32, Bytes)> {
    let mut header = bytes.get(..8)?;
    let (length, id) = (header.get_u32_le() as usize, header.get_u32_le());
    if bytes.len() < 8 + length {
        return None;
    }
    bytes.advance(8);
    Some((id, bytes.split_to(length).freeze()))
}
