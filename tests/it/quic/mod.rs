//! QUIC over the loopback interface: who gets in, who does not and is told why, certificates that change, and ends in order.
//!
//! These sockets are the system's, so that time is real: every wait is for something that happens. The four kinds of call are
//! claimed with those of the other roads, in `kinds`.

mod certificates;
mod ends;

use std::net::SocketAddr;

use rpcnet::{
    Channel, ConnectError, Server,
    transport::{
        quic::Quic,
        tls::{
            Tls, TlsBuilder,
            development::{Authority, Issued},
        },
    },
};
use tokio::task::JoinHandle;

use crate::tls::{DoorClient, DoorServer, Porter};

/// An authority that everybody trusts unless it says otherwise.
pub(crate) struct Realm {
    authority: Authority,
}

impl Realm {
    pub(crate) fn new() -> Self {
        Self { authority: Authority::new().unwrap() }
    }

    fn end_with(&self, own: Issued) -> TlsBuilder {
        Tls::builder().certificate(own.chain, own.key).roots(self.authority.roots())
    }

    /// Settings of an end with a certificate for this name.
    fn end(&self, name: &str) -> TlsBuilder {
        self.end_with(self.authority.issue([name]).unwrap())
    }

    pub(crate) fn server(&self) -> Quic {
        quic(self.end("127.0.0.1"))
    }

    pub(crate) fn client(&self, name: &str) -> Quic {
        quic(self.end(name))
    }
}

fn quic(tls: TlsBuilder) -> Quic {
    Quic::new(tls.build().unwrap())
}

async fn serve(quic: Quic) -> (SocketAddr, JoinHandle<()>) {
    let server = Server::builder().service(DoorServer::new(Porter)).transport(quic);
    let server = server.bind("127.0.0.1:0").await.unwrap();
    (server.local_addr(), tokio::spawn(server.serve()))
}

async fn open(to: SocketAddr, quic: Quic) -> Result<DoorClient, ConnectError> {
    Channel::builder(to).transport(quic).connect().await.map(DoorClient::new)
}

/// Why a connection cannot be opened.
async fn refused(to: SocketAddr, tls: TlsBuilder) -> String {
    open(to, quic(tls)).await.map(drop).expect_err("it is refused").to_string()
}
