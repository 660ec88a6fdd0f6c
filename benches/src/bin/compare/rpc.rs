//! RpcNet as a user would set it up, with all of its defaults.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use rpcnet::{
    Channel, Server, rpc_trait,
    transport::{Tcp, Transport, quic::Quic},
};

use crate::{
    Failure,
    load::Caller,
    net::{self, Link},
    process::System,
};

/// What is called.
#[rpc_trait]
pub(crate) trait Echo {
    /// The same again.
    #[rpc(idempotent)]
    async fn echo(&self, bytes: bytes::Bytes) -> rpcnet::Result<bytes::Bytes>;
}

/// Serves it.
pub(crate) struct Worker;

impl Echo for Worker {
    async fn echo(&self, bytes: bytes::Bytes) -> rpcnet::Result<bytes::Bytes> {
        Ok(bytes)
    }
}

/// By a generated client and server.
#[derive(Debug)]
pub(crate) struct Typed {
    link: Link,
    certificates: PathBuf,
}

impl Typed {
    pub(crate) fn new(link: Link, certificates: &Path) -> Self {
        Self { link, certificates: certificates.to_owned() }
    }

    fn transport(&self) -> Result<Arc<dyn Transport>, Failure> {
        Ok(match self.link {
            Link::Tcp => Arc::new(Tcp::loopback()),
            Link::Tls => Arc::new(net::tls(&self.certificates)?),
            Link::Quic => Arc::new(Quic::new(net::tls(&self.certificates)?)),
        })
    }
}

impl System for Typed {
    type Caller = EchoClient<Channel>;

    async fn serve(&self) -> Result<SocketAddr, Failure> {
        let server = Server::builder().service(EchoServer::new(Worker)).shared_transport(self.transport()?);
        let server = server.bind("127.0.0.1:0").await?;
        let address = server.local_addr();
        tokio::spawn(server.serve());
        Ok(address)
    }

    async fn connect(&self, to: SocketAddr, callers: usize) -> Result<Vec<Self::Caller>, Failure> {
        let channel = Channel::builder(to).shared_transport(self.transport()?).connect().await?;
        Ok(vec![EchoClient::new(channel); callers])
    }
}

impl Caller for EchoClient<Channel> {
    async fn call(&mut self, payload: &bytes::Bytes) -> Result<usize, Failure> {
        Ok(self.echo(payload.clone()).await?.len())
    }
}

/// By name: nothing is encoded.
#[derive(Debug)]
pub(crate) struct Bytes;

impl System for Bytes {
    type Caller = Channel;

    async fn serve(&self) -> Result<SocketAddr, Failure> {
        let server = Server::builder().register("echo", |bytes| async move { Ok(bytes) });
        let server = server.bind("127.0.0.1:0").await?;
        let address = server.local_addr();
        tokio::spawn(server.serve());
        Ok(address)
    }

    async fn connect(&self, to: SocketAddr, callers: usize) -> Result<Vec<Channel>, Failure> {
        Ok(vec![Channel::connect(to).await?; callers])
    }
}

impl Caller for Channel {
    async fn call(&mut self, payload: &bytes::Bytes) -> Result<usize, Failure> {
        Ok(Channel::call(self, "echo", payload.clone()).await?.len())
    }
}
