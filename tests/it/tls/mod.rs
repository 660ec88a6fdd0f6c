//! TLS: who gets in, who does not and is told why, and certificates that change while calls run.

mod cluster;
mod floods;
mod follow;
mod identities;
mod refusals;
pub(crate) mod reload;

use std::{net::SocketAddr, path::Path};

use rpcnet::{
    Address, Channel, Server, ServerBuilder,
    prelude::*,
    transport::{
        memory::MemoryNetwork,
        tls::{
            Pem, Tls, TlsBuilder,
            development::{Authority, Issued},
        },
    },
};
use tokio::task::JoinHandle;

/// Says who calls.
#[rpc_trait]
pub(crate) trait Door {
    /// For everybody who got in.
    #[rpc(read)]
    async fn knock(&self, ctx: Context) -> rpcnet::Result<String>;

    /// For one caller.
    #[rpc(read)]
    async fn enter(&self, ctx: Context, code: u32) -> rpcnet::Result<String>;

    /// For those of one part of the organisation.
    async fn lock(&self, ctx: Context, request_id: Uuid) -> rpcnet::Result<String>;
}

#[derive(Clone)]
pub(crate) struct Porter;

fn caller(ctx: &Context) -> String {
    ctx.identity().map_or_else(|| "nobody".to_owned(), ToString::to_string)
}

impl Door for Porter {
    async fn knock(&self, ctx: Context) -> rpcnet::Result<String> {
        Ok(caller(&ctx))
    }

    async fn enter(&self, ctx: Context, _code: u32) -> rpcnet::Result<String> {
        Ok(caller(&ctx))
    }

    async fn lock(&self, ctx: Context, _request_id: Uuid) -> rpcnet::Result<String> {
        Ok(caller(&ctx))
    }
}

/// The name of the server in its certificate: its address in the network in memory.
const SERVER: &str = "10.0.0.1";

/// A network with one server, and an authority that everybody trusts unless it says otherwise.
struct Realm {
    network: MemoryNetwork,
    authority: Authority,
}

impl Realm {
    fn new() -> Self {
        Self { network: MemoryNetwork::new(1), authority: Authority::new().unwrap() }
    }

    /// Settings of an end on a host, with a certificate for some names.
    fn end(&self, host: u8, names: &[&str]) -> TlsBuilder {
        let own = self.authority.issue(names.iter().copied()).unwrap();
        self.end_with(host, Some(own)).roots(self.authority.roots())
    }

    /// Settings of an end with this certificate, and no roots.
    fn end_with(&self, host: u8, own: Option<Issued>) -> TlsBuilder {
        let tls = Tls::builder().over(self.network.host([10, 0, 0, host])).allow_development_anywhere();
        match own {
            Some(own) => tls.certificate(own.chain, own.key),
            None => tls,
        }
    }

    async fn serve(&self, tls: TlsBuilder) -> SocketAddr {
        self.serve_with(tls, |server| server).await.0
    }

    async fn serve_with(
        &self,
        tls: TlsBuilder,
        settings: impl FnOnce(ServerBuilder) -> ServerBuilder,
    ) -> (SocketAddr, JoinHandle<()>) {
        let server = Server::builder().service(DoorServer::new(Porter)).transport(tls.build().unwrap());
        let server = settings(server).bind("10.0.0.1:0").await.unwrap();
        (server.local_addr(), tokio::spawn(server.serve()))
    }
}

async fn open(to: impl Into<Address>, tls: TlsBuilder) -> Result<DoorClient, rpcnet::ConnectError> {
    Channel::builder(to).transport(tls.build().unwrap()).connect().await.map(DoorClient::new)
}

/// Why a connection cannot be opened.
async fn refused(to: impl Into<Address>, tls: TlsBuilder) -> String {
    open(to, tls).await.map(drop).expect_err("it is refused").to_string()
}

/// Writes a file as careful programs do: beside it, and then in its place.
fn replace(path: &Path, pem: &[u8]) {
    let beside = path.with_extension("new");
    std::fs::write(&beside, pem).unwrap();
    std::fs::rename(&beside, path).unwrap();
}

/// The text of PEM that is not in a file.
fn text(pem: &Pem) -> Vec<u8> {
    pem.to_vec().unwrap()
}
